"""What every measure can be asked, and what it reads."""

from dataclasses import dataclass, field
from typing import Protocol

from convatlas import atlas
from convatlas.analysis.picture import inputs_for
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import Propagation, propagate

Value = int | float | str | tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """The networks of the atlas, each read and propagated once."""

    made: dict[tuple[str, bool, str], tuple[Graph, Propagation]] = field(default_factory=dict)

    def network(
        self, name: str, *, training: bool = False, size: str = ""
    ) -> tuple[Graph, Propagation]:
        """A graph, and its shapes for one picture of its own or another size."""
        key = (name, training, size)
        if key not in self.made:
            graph = atlas.graph(name, training=training)
            inputs = inputs_for(graph, (size,) if size else ())
            self.made[key] = (graph, propagate(graph, inputs))
        return self.made[key]


class Measure(Protocol):
    """A frozen dataclass that says how a figure is computed."""

    def value(self, bench: Bench) -> Value:
        """The figure."""

    @property
    def networks(self) -> frozenset[str]:
        """The entries of the atlas that it reads."""
