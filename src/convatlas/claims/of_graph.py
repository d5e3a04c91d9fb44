"""Measures that sum or count over the operations of a network."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from convatlas.claims.measure import Bench, Value
from convatlas.claims.select import ALL, Selection
from convatlas.errors import UserError
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph, Node
from convatlas.graph.operation import elements
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import Dense, Distance

WEIGHTED = (Conv, ConvTransposed, Dense)
POOLS = (Pool, AdaptivePool, SubSampling)


@dataclass(frozen=True, slots=True)
class OfNetwork:
    """What the measures of one network share."""

    network: str

    @property
    def networks(self) -> frozenset[str]:
        """The one entry it reads."""
        return frozenset((self.network,))


@dataclass(frozen=True, slots=True)
class Parameters(OfNetwork):
    """Trained numbers: weights, biases, scales and shifts."""

    select: Selection = ALL

    def value(self, bench: Bench) -> Value:
        """Their sum."""
        graph, _ = self.select.network(bench, self.network)
        return sum(tensor.size for tensor in self.select.parameters(graph))


@dataclass(frozen=True, slots=True)
class Weights(OfNetwork):
    """Trained numbers that inputs are multiplied by: no biases, nothing of batch norm."""

    select: Selection = ALL

    def value(self, bench: Bench) -> Value:
        """Their sum."""
        graph, _ = self.select.network(bench, self.network)
        tensors = self.select.parameters(graph)
        return sum(tensor.size for tensor in tensors if len(tensor.shape) > 1)


@dataclass(frozen=True, slots=True)
class Macs(OfNetwork):
    """Multiply-adds for one picture."""

    select: Selection = ALL

    def value(self, bench: Bench) -> Value:
        """Their sum."""
        graph, made = self.select.network(bench, self.network)
        return sum(made.measures[n].macs for n in self.select.nodes(graph))


@dataclass(frozen=True, slots=True)
class Connections(OfNetwork):
    """Connections as LeCun et al. 1998 count them: each unit's inputs, and its bias."""

    select: Selection = ALL

    def value(self, bench: Bench) -> Value:
        """Their sum; a sub-sampling unit has as many as its window, and one."""
        graph, made = self.select.network(bench, self.network)
        total = 0
        for n in self.select.nodes(graph):
            operation, (shape, macs, _) = graph.nodes[n].operation, made.measures[n]
            if isinstance(operation, SubSampling):
                total += elements(shape) * (elements(operation.kernel) + 1)
            elif isinstance(operation, WEIGHTED):
                total += macs + (elements(shape) if operation.bias else 0)
            elif isinstance(operation, Distance):
                total += macs
        return total


@dataclass(frozen=True, slots=True)
class Layers(OfNetwork):
    """How many operations there are of some kinds."""

    select: Selection = ALL

    def value(self, bench: Bench) -> Value:
        """Their number, 0 if there is none."""
        graph, _ = self.select.network(bench, self.network)
        try:
            return len(self.select.nodes(graph))
        except UserError:
            return 0


@dataclass(frozen=True, slots=True)
class Children(OfNetwork):
    """How many modules a module consists of."""

    at: str
    named: str = "*"

    def value(self, bench: Bench) -> Value:
        """Those that contain an operation and whose name fits ``named``."""
        graph, _ = bench.network(self.network)
        level = len(self.at.split("."))
        nodes = (graph.nodes[n] for n in Selection(at=self.at).nodes(graph))
        parts = {node.path.split(".")[level] for node in nodes if node.path.count(".") >= level}
        return sum(fnmatchcase(part, self.named) for part in parts)


@dataclass(frozen=True, slots=True)
class Depth(OfNetwork):
    """Layers with weights on the longest way from input to output; with ``pools`` those too."""

    pools: bool = False

    def value(self, bench: Bench) -> Value:
        """The number of layers passed; a shortcut's projection lies beside the way."""
        graph, _ = bench.network(self.network)
        return longest(graph, (*WEIGHTED, *POOLS) if self.pools else WEIGHTED)


def longest(graph: Graph, kinds: tuple[type, ...]) -> int:
    """The largest number of operations of these kinds on a way through the graph."""
    reached: list[int] = []
    for node in graph.nodes:
        before = max((reached[n] for n in node.inputs[: node.data]), default=0)
        reached.append(before + _counts(node, kinds))
    return max(reached[position] for _, position in graph.outputs)


def _counts(node: Node, kinds: tuple[type, ...]) -> bool:
    return isinstance(node.operation, kinds)
