"""The second look: the network's code runs once more, and each call is held against the first.

A call that is made with the same arguments makes the same node, unless torch's tables ask for the
lengths of what they are given (`Recorded` tells); then it is written down anew, and the node
compared. So nothing of a second graph is built, and the first difference ends it.
"""

from collections.abc import Sequence
from types import EllipsisType, NoneType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convatlas.capture.dim import Dim, Origin
from convatlas.capture.functions import rearrange
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Call, Tracer
from convatlas.graph.graph import Node
from convatlas.graph.operation import Shape

# What keeps of a size only where it comes from.
KEEPING = (rearrange.view, rearrange.pad, rearrange.roll, rearrange.expand)
SIZED = {func for func, handler in rearrange.HANDLERS.items() if handler in KEEPING}
PLAIN = {int, str, NoneType, EllipsisType, torch.dtype, torch.device}
MARKED = {float, bool}  # equal to an integer without being one
PARTS = {tuple, list, torch.Size, slice}


class Recorded(NamedTuple):
    """A call whose nodes, the next, hang on its arguments alone, not on how long these are."""

    func: Any
    arguments: tuple[Any, ...]
    dtype: torch.dtype
    device: torch.device
    fixed: bool
    nodes: int  # how many: the last is what it returns
    view: bool  # of its first argument, through all of them


class Differs(Exception):
    """The code does something else than at the first look."""


class Recorder(Tracer):
    """A tracer that keeps calls for a second look, by the position of their nodes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.calls: dict[int, Recorded] = {}

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """As the tracer; the call is kept if the same arguments will always make the same node."""
        more = kwargs or {}
        if not self.sized:  # nothing has gone by a size yet, and perhaps nothing will
            return self._function(self, func, args, more)
        said = arguments(func, args, more, self.inventory.owned)
        at, self.looked = len(self.nodes), False
        made = self._function(self, func, args, more)
        if said is None or self.looked or type(made) is not Traced:
            return made
        count = len(self.nodes) - at
        view = made.base is not None
        alone = _views(made, count, args) if view else count == 1
        if count and made.node == at + count - 1 and alone:
            self.calls[at] = Recorded(func, said, made.dtype, made.device, made.fixed, count, view)
        return made

    def moved(self, target: Tensor, made: Traced) -> Tensor:
        """A call that changes what it is given does more than make a node."""
        self.looked = True
        return super().moved(target, made)


class SecondLook(Tracer):
    """Holds what the code does against the nodes of a first look; ``agrees`` at the end."""

    def __init__(self, first: Recorder, shapes: Sequence[Shape], function: Call, operator: Call):
        super().__init__(first.inventory, function, operator)
        self.nodes, self.shapes = first.nodes, list(shapes)
        self._calls = first.calls
        self._at, self._differs = 0, False

    @property
    def agrees(self) -> bool:
        """Whether the code did all that it did at the first look, and nothing else."""
        return not self._differs and self._at == len(self.nodes)

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The same call makes the same node; any other is written down and compared."""
        more = kwargs or {}
        at = self._at
        known = self._calls.get(at)
        if (
            known is None
            or known.func is not func
            or arguments(func, args, more, self.inventory.owned) != known.arguments
            or self.path() != self.nodes[at].path
        ):
            return self._function(self, func, args, more)
        self._at += known.nodes
        made = args[0] if known.view else None
        for node in range(at, self._at):
            base = made
            made = Traced(self, node, self.shapes[node], known.dtype, known.device)
            made.fixed, made.base = known.fixed, base
        return made

    def added(self, node: Node, shape: Shape, dtype: torch.dtype, device: torch.device) -> Traced:
        """The node that stood there at the first look, or the end of the second."""
        at = self._at
        if self._differs or at == len(self.nodes) or node != self.nodes[at]:
            self._differs = True  # the code may catch what is raised
            raise Differs
        self._at += 1
        return Traced(self, at, self.shapes[at], dtype, device)

    def compared(self, left: Origin, relation: str, right: Origin, outcome: bool) -> None:
        """The first look has kept what the code compares."""

    def pin(self) -> None:
        """As `compared`."""


def _views(made: Traced, count: int, args: Sequence[Any]) -> bool:
    """Whether each node of a call is a view of the one before, the first of its first argument."""
    base: Traced | None = made
    for _ in range(count):
        base = None if base is None else base.base
    return base is not None and base is args[0]


def arguments(
    func: Any, args: Sequence[Any], more: dict[str, Any], owned: dict[int, int]
) -> tuple[Any, ...] | None:
    """What a call was given, so that two calls can be compared: sizes by where they come from.

    ``None`` for arguments that are not followed here.
    """
    said: list[Any] = []
    if not _say(func, args, owned, said):
        return None
    for name, value in more.items():
        said.append(name)
        if not _say(func, (value,), owned, said):
            return None
    return tuple(said)


def _say(func: Any, values: Sequence[Any], owned: dict[int, int], said: list[Any]) -> bool:
    """Puts what can be followed of some values behind what is said; whether all could.

    Flat, each with its kind where that is not plain: few objects, for there are many calls.
    """
    for value in values:
        kind = type(value)
        if kind is Traced and not value.written:
            said.append(Traced)
            said.append(value.node)
        elif kind in PLAIN:
            said.append(value)
        elif kind is Dim and func in SIZED:
            said.append(value.origin)
        elif kind in MARKED:
            said.append(kind)
            said.append(value)
        elif id(value) in owned:
            said.append(Tensor)
            said.append(owned[id(value)])
        elif kind not in PARTS or not _say_parts(func, value, owned, said):
            return False
    return True


def _say_parts(func: Any, whole: Any, owned: dict[int, int], said: list[Any]) -> bool:
    """As `_say` for a sequence or a slice."""
    parts = (whole.start, whole.stop, whole.step) if isinstance(whole, slice) else whole
    said.append(type(whole))
    said.append(len(parts))
    return _say(func, parts, owned, said)
