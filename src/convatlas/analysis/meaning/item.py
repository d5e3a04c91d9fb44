"""One operation by meaning."""

from dataclasses import dataclass

from convatlas.analysis.meaning.layout import Layout
from convatlas.analysis.meaning.roles import Value
from convatlas.graph.operation import Shape

COMMUTE = ("addition", "multiplication")  # roles whose operands may be exchanged


@dataclass(frozen=True, slots=True)
class Item:
    """One operation by meaning; ``nodes`` are the graph's that it stands for, the last one last."""

    role: str
    settings: tuple[tuple[str, Value], ...]
    inputs: tuple[int, ...]
    nodes: tuple[int, ...]
    shape: Shape
    parameters: tuple[int, ...] = ()
    layout: Layout | None = None
    token: int = 0  # equal for items of the same role and settings

    def get(self, name: str) -> Value:
        """A setting, or ``None``."""
        return next((value for key, value in self.settings if key == name), None)
