"""Reading torch's arguments, which come in many forms."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

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
    each = tuple(map(int, (axes,) if isinstance(axes, int) else axes))
    most = max(count, 1)  # a number without axes may be asked for its only one
    if any(not -most <= axis < most for axis in each):
        raise IndexError(f"there is no axis {', '.join(map(str, each))} in {count}")
    return tuple(axis % most for axis in each)


def forms(*names: str) -> tuple[object, ...]:
    """Functions of torch and methods of its tensors by name."""
    return tuple(
        getattr(place, name) for name in names for place in (torch, Tensor) if hasattr(place, name)
    )
