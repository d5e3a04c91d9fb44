"""What a dense (fully connected) layer costs."""

from dataclasses import dataclass

from convatlas.arithmetic.checks import at_least
from convatlas.arithmetic.convolution import Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """Every output reads every input."""

    inputs: int
    outputs: int
    bias: bool = True

    def __post_init__(self) -> None:
        at_least(1, {"inputs": self.inputs, "outputs": self.outputs})

    @property
    def weights(self) -> int:
        """inputs · outputs, which is also the number of MACs."""
        return self.inputs * self.outputs

    def cost(self) -> Cost:
        """For one picture."""
        biases = self.outputs if self.bias else 0
        return Cost((self.outputs, 1, 1), self.weights, biases, self.weights)
