"""What a convolution costs: weights, biases, MACs.

Weights do not depend on the size of the map, MACs do: every weight is used once for each output
pixel. A MAC is one multiply-add; biases are not counted in.
"""

from dataclasses import dataclass
from math import prod

from convatlas.arithmetic.checks import at_least, divided
from convatlas.arithmetic.geometry import Geometry, Pair, Shape
from convatlas.errors import UserError

POINT = Geometry(kernel=(1, 1))


@dataclass(frozen=True, slots=True)
class Cost:
    """A layer's output shape and what it takes to get there."""

    output: Shape
    weights: int
    biases: int
    macs: int

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + self.biases


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution; with ``groups`` each group of outputs reads its own part of the inputs."""

    c_in: int
    c_out: int
    geometry: Geometry
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        at_least(1, {"input channels": self.c_in, "output channels": self.c_out})
        at_least(1, {"groups": self.groups})
        divided(self.groups, self.c_in, self.c_out)

    @property
    def weights(self) -> int:
        """k·k·c_in·c_out / groups."""
        return num_weights(self.geometry.kernel, self.c_in, self.c_out, self.groups)

    @property
    def biases(self) -> int:
        """One for each output channel."""
        return self.c_out if self.bias else 0

    def cost(self, size: Pair) -> Cost:
        """On a map of height and width ``size``."""
        height, width = self.geometry.output(size)
        macs = self.weights * height * width
        return Cost((self.c_out, height, width), self.weights, self.biases, macs)


def num_weights(kernel: tuple[int, ...], c_in: int, c_out: int, groups: int = 1) -> int:
    """The product of the kernel's sides · c_in / groups · c_out, for a kernel of any dimension."""
    return prod(kernel) * (c_in // groups) * c_out


def depthwise(channels: int, geometry: Geometry, *, bias: bool = True) -> Convolution:
    """One kernel for each channel, which no other channel enters."""
    return Convolution(c_in=channels, c_out=channels, geometry=geometry, groups=channels, bias=bias)


def pointwise(c_in: int, c_out: int, *, bias: bool = True) -> Convolution:
    """1x1: a dense layer over the channels, the same at every pixel."""
    return Convolution(c_in=c_in, c_out=c_out, geometry=POINT, bias=bias)


def separable(
    c_in: int, c_out: int, geometry: Geometry, *, bias: bool = True
) -> tuple[Convolution, Convolution]:
    """Depthwise for the neighbourhood, then pointwise for the channels."""
    return depthwise(c_in, geometry, bias=bias), pointwise(c_in, c_out, bias=bias)


def chain(layers: tuple[Convolution, ...], shape: Shape) -> tuple[Cost, ...]:
    """The cost of each layer, one after the other; `UserError` if the channels do not meet."""
    costs: list[Cost] = []
    for layer in layers:
        if layer.c_in != shape[0]:
            raise UserError(
                f"a layer for {layer.c_in} channels is given {shape[0]}; make the two agree"
            )
        costs.append(layer.cost(shape[1:]))
        shape = costs[-1].output
    return tuple(costs)


def total(costs: tuple[Cost, ...]) -> Cost:
    """All of them together, with the output of the last."""
    return Cost(
        costs[-1].output,
        sum(cost.weights for cost in costs),
        sum(cost.biases for cost in costs),
        sum(cost.macs for cost in costs),
    )
