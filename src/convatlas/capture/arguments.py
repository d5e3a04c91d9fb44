"""Reading torch's arguments, which come in many forms."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Handler = Callable[..., Any]


def several(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One number for each axis; a single one serves all."""
    if isinstance(value, int):
        return (int(value),) * axes
    if len(value) == 1:
        return (int(value[0]),) * axes
    return tuple(map(int, value))


def listed(values: Sequence[Any]) -> tuple[Any, ...]:
    """``f(1, 2)`` and ``f((1, 2))`` are the same to torch."""
    if len(values) == 1 and isinstance(values[0], list | tuple):
        return tuple(values[0])
    return tuple(values)


def positive(axes: int | Iterable[int], count: int) -> tuple[int, ...]:
    """Axes counted from the front."""
    each = (axes,) if isinstance(axes, int) else axes
    return tuple(int(axis) % count for axis in each)
