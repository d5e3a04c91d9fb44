"""Intermediate maps by name: what detection, segmentation and probing start from."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.field import fields
from convatlas.graph.propagate import propagate
from convatlas.nearest import closest


def features(model: nn.Module, x: Tensor, taps: Sequence[str] | None = None) -> dict[str, Tensor]:
    """Maps (N, C, H, W) of the submodules named in ``taps``, in the order asked.

    By default the last map of each size, see `stage_ends`. The network runs once, in its own mode
    and with gradients as set; a submodule that works on (N, H, W, C) says so by an attribute
    ``channels_last``. Raises `UserError` for a name it has not, or one that makes no map.
    """
    wanted = stage_ends(model, x) if taps is None else tuple(taps)
    modules = dict(model.named_modules())
    for tap in wanted:
        if tap not in modules:
            raise UserError(f"there is no submodule {tap!r}{closest(tap, tuple(modules))}")
    seen = _run(model, x, wanted)
    return {tap: _map(tap, seen, modules[tap]) for tap in wanted}


def stage_ends(model: nn.Module, x: Tensor) -> tuple[str, ...]:
    """The submodules that make the last map of each height and width, the largest map first.

    In a network that works on (N, H, W, C) only what says so is looked at.
    """
    last = [path for path, module in model.named_modules() if _is_channels_last(module)]
    if last:
        with torch.no_grad():
            made = _run(model, x, last)
        return _ends((path, tuple(value.shape[1:3])) for path, value in made.items())
    graph = capture(model, tuple(x.shape), one_size=True)
    shapes = propagate(graph)
    local = (
        (node.path, tuple(measure.shape[2:]))
        for node, measure, field in zip(
            graph.nodes, shapes.measures, fields(graph, shapes), strict=True
        )
        if node.path and field is not None and len(measure.shape) == 4 and field.local
    )
    return _ends(local)


def _ends(maps: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[str, ...]:
    """The last path of each size."""
    ends: dict[tuple[int, ...], str] = {}
    for path, size in maps:
        ends.pop(size, None)
        ends[size] = path
    return tuple(ends.values())


def _run(model: nn.Module, x: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
    """What submodules make, in the order in which they finish."""
    seen: dict[str, Tensor] = {}
    handles = [model.get_submodule(t).register_forward_hook(_Keep(seen, t)) for t in taps]
    try:
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _is_channels_last(module: nn.Module) -> bool:
    return bool(getattr(module, "channels_last", False))


class _Keep:
    """A hook that keeps what a submodule made; of several calls the last."""

    def __init__(self, seen: dict[str, Tensor], tap: str) -> None:
        self.seen, self.tap = seen, tap

    def __call__(self, _module: nn.Module, _given: object, made: object) -> None:
        if isinstance(made, Tensor):
            self.seen.pop(self.tap, None)
            self.seen[self.tap] = made


def _map(tap: str, seen: dict[str, Tensor], module: nn.Module) -> Tensor:
    made = seen.get(tap)
    if made is None or made.dim() != 4:
        what = "did not run" if made is None else f"makes {tuple(made.shape)}"
        raise UserError(f"{tap} {what}; a tap is a submodule that makes maps, (N, C, H, W)")
    return made.permute(0, 3, 1, 2) if _is_channels_last(module) else made
