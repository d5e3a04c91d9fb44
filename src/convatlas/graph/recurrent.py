"""Recurrent layers: LSTM, GRU and the plain ones."""

from dataclasses import dataclass
from typing import Literal

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, shown

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent:
    """Layers that carry a state from step to step: (L, N, c_in) to (L, N, directions · c_out).

    ``batch_first``: (N, L, c_in). ``cell``: a single step, (N, c_in) to (N, hidden).
    ``projection``: an LSTM whose output is the state's projection to that many values.
    """

    kind: Literal["lstm", "gru", "rnn"]
    c_in: int
    hidden: int
    layers: int = 1
    directions: int = 1
    bias: bool = True
    projection: int | None = None
    batch_first: bool = False
    cell: bool = False

    @property
    def c_out(self) -> int:
        """What one direction hands on."""
        return self.hidden if self.projection is None else self.projection

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """MACs of all gates at all steps; work of biases, gate functions and state updates."""
        shape = inputs[0]
        if shape[-1] != self.c_in or len(shape) > 3:
            raise ShapeError(
                f"takes {self.c_in} values at each step, given {shown(shape)}; "
                f"set its input_size to {shape[-1]}"
            )
        steps = elements(shape[:-1])
        gates = GATES[self.kind] * self.hidden
        inner = self.c_out * self.directions
        read = self.c_in + (self.layers - 1) * inner + self.layers * self.c_out
        macs = steps * self.directions * gates * read
        if self.projection is not None:
            macs += steps * self.directions * self.layers * self.hidden * self.projection
        work = steps * self.directions * self.layers * gates * (3 if self.bias else 1)
        return Measure((*shape[:-1], inner), macs, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastState:
    """The state a recurrent layer ends with, read from its output: (layers · directions, N, size).

    ``steps``: the axis of steps in the output, the others being those of the batch.
    """

    count: int
    size: int
    steps: int = 0

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Its work is counted with the layer."""
        batch = tuple(size for axis, size in enumerate(inputs[0][:-1]) if axis != self.steps)
        return Measure((self.count, *batch, self.size), 0, 0)
