"""What an engine is: a function from prepared pictures to scores, built for one job."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from convatlas.errors import UserError
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


def guarded(name: str, job: Job, run: Engine) -> Engine:
    """The engine behind a look at what it is given: float32 of the job's shape, in row order.

    Compiled code and recorded graphs trust their input: they read beyond the end of a smaller one,
    and take strides for granted. A view with other strides is copied.
    """

    def checked(pixels: Array) -> Array:
        if pixels.shape != job.shape or pixels.dtype != np.float32:
            shape = " x ".join(map(str, pixels.shape))
            raise UserError(
                f"the engine {name} was built for float32 {' x '.join(map(str, job.shape))}, "
                f"given {pixels.dtype} {shape}; fill the batch up, or build it for that batch"
            )
        return run(np.ascontiguousarray(pixels))

    return checked
