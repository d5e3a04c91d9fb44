"""What an engine is: a function from prepared pictures to scores, built for one job."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from convatlas.runtime.network import Array, Network
from convatlas.runtime.onnx_file import to_onnx

Engine = Callable[[Array], Array]  # (batch, C, H, W) to (batch, classes, ...)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A network, the batch it is run at, and the threads it may use.

    Engines of torch use the process's threads, which the caller sets.
    """

    network: Network
    batch: int = 1
    threads: int = 1
    _kept: list[bytes] = field(default_factory=list, repr=False, compare=False)

    def onnx(self) -> bytes:
        """The network as ONNX with a free batch, exported once."""
        if not self._kept:
            self._kept.append(to_onnx(self.network))
        return self._kept[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the input, with the batch."""
        return (self.batch, *self.network.shape)

    def at(self, batch: int) -> "Job":
        """The same at another batch; the export is shared."""
        return replace(self, batch=batch)
