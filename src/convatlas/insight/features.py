"""Intermediate maps by name: what detection, segmentation and probing start from."""

from collections.abc import Sequence

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
    wanted = stage_ends(model, tuple(x.shape)) if taps is None else tuple(taps)
    modules = dict(model.named_modules())
    for tap in wanted:
        if tap not in modules:
            raise UserError(f"there is no submodule {tap!r}{closest(tap, tuple(modules))}")
    seen: dict[str, Tensor] = {}
    handles = [modules[tap].register_forward_hook(_Keep(seen, tap)) for tap in wanted]
    try:
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return {tap: _map(tap, seen, modules[tap]) for tap in wanted}


def stage_ends(model: nn.Module, shape: tuple[int, ...]) -> tuple[str, ...]:
    """The submodules that make the last map of each height and width, the largest map first."""
    graph = capture(model, shape)
    made = propagate(graph)
    ends: dict[tuple[int, ...], str] = {}
    for node, measure, field in zip(graph.nodes, made.measures, fields(graph, made), strict=True):
        if node.path and field is not None and len(measure.shape) == 4 and field.local:
            size = tuple(measure.shape[dim] for dim in field.dims)
            ends.pop(size, None)
            ends[size] = node.path
    return tuple(ends.values())


class _Keep:
    """A hook that keeps what a submodule made; of several calls the last."""

    def __init__(self, seen: dict[str, Tensor], tap: str) -> None:
        self.seen, self.tap = seen, tap

    def __call__(self, _module: nn.Module, _given: object, made: object) -> None:
        if isinstance(made, Tensor):
            self.seen[self.tap] = made


def _map(tap: str, seen: dict[str, Tensor], module: nn.Module) -> Tensor:
    made = seen.get(tap)
    if made is None or made.dim() != 4:
        what = "did not run" if made is None else f"makes {tuple(made.shape)}"
        raise UserError(f"{tap} {what}; a tap is a submodule that makes maps, (N, C, H, W)")
    return made.permute(0, 3, 1, 2) if getattr(module, "channels_last", False) else made
