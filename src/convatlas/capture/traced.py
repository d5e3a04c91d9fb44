"""The stand-in that runs through a network instead of a tensor: a shape without storage."""

from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from convatlas.capture.dim import Axis, Dim
from convatlas.capture.settled import settled
from convatlas.graph.operation import Shape

if TYPE_CHECKING:
    from convatlas.capture.tracer import Tracer


class Traced(Tensor):
    """A tensor that holds no values, only what it is: a node of the graph being captured.

    ``fixed``: its shape does not depend on the network's inputs. ``followed``: its value where
    values are followed, see `convatlas.capture.values`. ``base``: what it is a view of;
    ``written``: views of it that were changed in place since it was last read.
    """

    tracer: "Tracer"
    node: int
    lengths: Shape
    fixed: bool
    followed: Tensor | None
    base: "Traced | None"
    written: "tuple[Traced, ...]"

    @staticmethod
    def __new__(
        cls,
        tracer: "Tracer",
        node: int,
        lengths: Shape,
        dtype: torch.dtype,
        device: torch.device,
    ) -> "Traced":
        """A wrapper of no memory."""
        made: Traced = Tensor._make_wrapper_subclass(cls, lengths, dtype=dtype, device=device)
        made.tracer, made.node, made.lengths = tracer, node, lengths
        made.fixed, made.followed, made.base, made.written = False, None, None, ()
        return made

    # The ignores below: torch declares these of Tensor as plain attributes or with other
    # parameters than it calls them with; overriding them is its documented way.

    # the tracer's mode has seen the call before it comes here
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    # torch annotates the methods below as functions of its C++ class, which no override fits
    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """What the table of functions does not know arrives here as torch's own operators."""
        return tracer_of((*args, *(kwargs or {}).values())).operator(func, args, kwargs or {})

    @property
    def shape(self) -> torch.Size:  # type: ignore[override]
        """The sizes, each with its origin unless it is always the same."""
        if self.fixed:
            return torch.Size(self.lengths)
        return torch.Size([self._length(axis) for axis in range(len(self.lengths))])

    def size(self, dim: int | None = None) -> Any:
        """All sizes, or that of one axis."""
        return self.shape if dim is None else self._length(dim % len(self.lengths))

    def dim(self) -> int:
        """How many axes."""
        return len(self.lengths)

    @property
    def ndim(self) -> int:  # type: ignore[override]
        """How many axes."""
        return len(self.lengths)

    def numel(self) -> int:
        """How many values, with its origin."""
        count = 1
        for size in self.shape:
            count = size * count
        return count

    def __len__(self) -> int:
        return int(self._length(0))

    def _length(self, axis: int) -> int:
        tracer, node, length = self.tracer, self.node, self.lengths[axis]
        if self.fixed or settled(tracer.nodes, tracer.shapes, node, axis):
            return length
        tracer.sized = True
        return Dim(length, Axis(node, axis), tracer.compared)

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Traced({self.node}: {self.lengths}, {self.dtype})"


@cache
def kind_name(kind: torch.dtype) -> str:
    """A kind of numbers as graphs call it: float32."""
    return str(kind).removeprefix("torch.")


def lengths(tensor: Tensor) -> Shape:
    """The sizes of any tensor as plain numbers, for what does not depend on them."""
    return tensor.lengths if isinstance(tensor, Traced) else tuple(tensor.shape)


def tracer_of(values: Any) -> "Tracer":
    """The tracer of the first stand-in among values; there is one, else nothing would be asked."""
    found = next((value for value in flat(values) if isinstance(value, Traced)), None)
    assert found is not None
    return found.tracer


def flat(values: Any) -> Any:
    """Everything within nested lists, tuples and mappings."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from flat(value)
        elif isinstance(value, dict):
            yield from flat(value.values())
        else:
            yield value
