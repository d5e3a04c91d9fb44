"""A network at an input that it takes, as all questions of the doctor need it."""

from dataclasses import dataclass

from convatlas.analysis.describe import describe
from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import Propagation


@dataclass(frozen=True, slots=True)
class Case:
    """The graph, its sizes and its receptive fields; ``training``: it is going to be trained."""

    graph: Graph
    made: Propagation
    seen: tuple[Field | None, ...]
    training: bool

    @property
    def picture(self) -> Shape:
        """The shape of the picture; of the first input where there is none."""
        return self.made.measures[self.graph.picture].shape

    @property
    def has_plane(self) -> bool:
        """Whether there is a picture with height and width whose pixels can be followed."""
        return len(self.picture) == 4 and self.seen[self.graph.picture] is not None

    def name(self, node: int) -> str:
        """A layer by its path, or by what it is where it has none."""
        return self.graph.nodes[node].path or describe(self.graph.nodes[node].operation)

    def shape(self, node: int) -> Shape:
        """What a node makes."""
        return self.made.measures[node].shape


def case_of(graph: Graph, made: Propagation, *, training: bool = False) -> Case:
    """A network with the sizes of a propagation."""
    return Case(graph, made, fields(graph, made), training)


def listed(names: list[str], most: int = 3) -> str:
    """The first few of many names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
