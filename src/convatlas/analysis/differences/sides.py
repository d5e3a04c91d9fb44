"""The two networks of a comparison: their items with what each one costs."""

from dataclasses import dataclass
from functools import cached_property

from convatlas.analysis.meaning.canonical import canonical
from convatlas.analysis.meaning.item import Item
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import Propagation


@dataclass(frozen=True)
class Side:
    """One network by meaning."""

    graph: Graph
    made: Propagation
    items: tuple[Item, ...]

    @classmethod
    def of(cls, graph: Graph, made: Propagation, *, by_depth: bool) -> "Side":
        """The items of a graph in their order."""
        return cls(graph, made, canonical(graph, made, by_depth=by_depth))

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The module of each item."""
        return tuple(self.graph.nodes[item.nodes[-1]].path for item in self.items)

    @cached_property
    def macs(self) -> tuple[int, ...]:
        """Multiply-adds of each item."""
        measures = self.made.measures
        return tuple(sum(measures[n].macs for n in item.nodes) for item in self.items)

    @cached_property
    def parameters(self) -> tuple[int, ...]:
        """Parameters of each item; a shared one counts where it is read first."""
        seen: set[int] = set()
        counts = []
        for item in self.items:
            own = set(item.parameters) - seen
            seen |= own
            counts.append(sum(self._size(p) for p in own))
        return tuple(counts)

    def _size(self, place: int) -> int:
        parameter = self.graph.parameters[place]
        return 0 if parameter.buffer else parameter.size

    @cached_property
    def total(self) -> tuple[int, int]:
        """Parameters and multiply-adds of the whole graph."""
        return self.graph.trainable + self.graph.frozen, self.made.macs

    @cached_property
    def unread(self) -> tuple[int, int]:
        """Parameters and multiply-adds that no output depends on."""
        return self.total[0] - sum(self.parameters), self.total[1] - sum(self.macs)

    @cached_property
    def weights(self) -> list[tuple[int, ...]]:
        """Shapes of the parameters, sorted."""
        return sorted(p.shape for p in self.graph.parameters if not p.buffer)


Sides = tuple[Side, Side]
