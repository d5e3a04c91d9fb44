"""The receptive field of a stack of layers, along one axis.

Three numbers are carried from layer to layer (Araujo, Norris & Sim 2019, "Computing receptive
fields of convolutional neural networks"):

    size    how many input pixels lie between the first and the last that one output can see
    jump    how far the fields of neighbouring outputs are apart: the product of the strides
    start   where the middle of the first output's field lies; 0 is the middle of the first input
            pixel, so it is negative when most of the field is padding and ends in .5 if it is even

Plain 3x3 layers add 2 pixels each; with dilations 1, 2, 4, … the field about doubles.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from convatlas.arithmetic.window import Window


@dataclass(frozen=True, slots=True)
class Field:
    """What one output sees; of an input pixel it is that pixel."""

    size: int = 1
    jump: int = 1
    start: float = 0

    def after(self, window: Window) -> "Field":
        """The field once a layer more has been applied."""
        return Field(
            size=self.size + (window.kernel - 1) * window.dilation * self.jump,
            jump=self.jump * window.stride,
            start=self.start + ((window.span - 1) / 2 - window.border[0]) * self.jump,
        )


def fields(windows: Iterable[Window]) -> tuple[Field, ...]:
    """The field of an input pixel, then that after each layer."""
    steps = [Field()]
    for window in windows:
        steps.append(steps[-1].after(window))
    return tuple(steps)


def field(windows: Iterable[Window]) -> Field:
    """The field after the last layer."""
    return fields(windows)[-1]
