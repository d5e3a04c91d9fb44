"""The stand-in that runs through a network instead of a tensor: a shape without storage."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from convatlas.capture.dim import Axis, Dim
from convatlas.graph.operation import Shape

if TYPE_CHECKING:
    from convatlas.capture.tracer import Tracer


class Traced(Tensor):
    """A tensor that holds no values, only what it is: a node of the graph being captured.

    ``followed`` is its value where values are followed, see `convatlas.capture.tracer.Tracer`.
    """

    tracer: "Tracer"
    node: int
    lengths: Shape
    followed: Tensor | None

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
        made: Traced = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, lengths, dtype=dtype, device=device
        )
        made.tracer, made.node, made.lengths, made.followed = tracer, node, lengths, None
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # the tracer's mode sees the call

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """What the table of functions does not know arrives here as torch's own operators."""
        from convatlas.capture.operators import dispatched

        return dispatched(func, args, kwargs or {})

    @property
    def shape(self) -> torch.Size:  # type: ignore[override]
        """The sizes, each with its origin."""
        compared = self.tracer.compared
        return torch.Size(
            [Dim(size, Axis(self.node, axis), compared) for axis, size in enumerate(self.lengths)]
        )

    def size(self, dim: int | None = None) -> Any:  # type: ignore[override]
        """All sizes, or that of one axis."""
        return self.shape if dim is None else self.shape[dim]

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
        return self.lengths[0]

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Traced({self.node}: {self.lengths}, {self.dtype})"
