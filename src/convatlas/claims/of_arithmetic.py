"""Measures of single layers and stacks that belong to no network of the atlas."""

from dataclasses import dataclass
from typing import Literal

from convatlas.arithmetic.convolution import Convolution
from convatlas.arithmetic.coverage import coverage
from convatlas.arithmetic.dense import Dense
from convatlas.arithmetic.field import field
from convatlas.arithmetic.geometry import Geometry
from convatlas.arithmetic.stack import parse_stack
from convatlas.arithmetic.transposed import Transposed
from convatlas.claims.measure import Bench, Value

Count = Literal["parameters", "weights", "macs"]


@dataclass(frozen=True, slots=True)
class OfNothing:
    """What the measures without a network share."""

    @property
    def networks(self) -> frozenset[str]:
        """No network is read."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Convolve(OfNothing):
    """A convolution: how much of ``count``."""

    count: Count
    c_in: int
    c_out: int
    kernel: int
    groups: int = 1
    size: int = 1  # of the output, for MACs

    def value(self, bench: Bench) -> Value:
        """On a map whose output has ``size`` pixels on a side."""
        layer = Convolution(
            c_in=self.c_in,
            c_out=self.c_out,
            groups=self.groups,
            geometry=Geometry(kernel=(self.kernel, self.kernel)),
        )
        if self.count == "macs":
            return layer.weights * self.size**2
        return layer.weights + (layer.biases if self.count == "parameters" else 0)


@dataclass(frozen=True, slots=True)
class Connect(OfNothing):
    """A dense layer: how much of ``count``."""

    count: Count
    inputs: int
    outputs: int

    def value(self, bench: Bench) -> Value:
        """For one picture."""
        cost = Dense(inputs=self.inputs, outputs=self.outputs).cost()
        return cost.parameters if self.count == "parameters" else cost.weights


@dataclass(frozen=True, slots=True)
class Stacked(OfNothing):
    """Layers one after the other, such as ``7s2p3 3d2``: what is asked of them.

    ``field``: pixels on a side that an output sees; ``read``: how many of these it really reads;
    ``size``: what is left of a picture; ``unread``: pixels at its end that the first layer leaves.
    """

    stack: str
    ask: Literal["field", "read", "size", "unread"]
    size: int = 0

    def value(self, bench: Bench) -> Value:
        """Along one axis."""
        rows = tuple(layer[0] for layer in parse_stack(self.stack))
        if self.ask == "field":
            return field(rows).size
        if self.ask == "read":
            return sum(map(bool, coverage((row, row) for row in rows).rows))
        if self.ask == "unread":
            return len(rows[0].unread(self.size))
        size = self.size
        for row in rows:
            size = row.output(size)
        return size


@dataclass(frozen=True, slots=True)
class Spread(OfNothing):
    """The side of the map that a transposed convolution paints."""

    kernel: int
    size: int
    stride: int = 1

    def value(self, bench: Bench) -> Value:
        """From a map of ``size``."""
        geometry = Geometry(kernel=(self.kernel,) * 2, stride=(self.stride,) * 2)
        return Transposed(c_in=1, c_out=1, geometry=geometry).output((self.size,) * 2)[0]
