"""Memory of one pass in evaluation: what is alive while each operation runs.

A value is alive from the operation that makes it to the last one that reads it; the network's
results stay to the end, an input goes when it has been read. A view and a change in place use the
storage they are given and keep it alive. Weights and the kernels' own scratch are not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from convatlas.graph.graph import BYTES, Graph, Node
from convatlas.graph.layout import aliases, layouts, reordered
from convatlas.graph.operation import elements
from convatlas.graph.pool import AdaptivePool, Pool
from convatlas.graph.propagate import Propagation
from convatlas.graph.rearrange import Reduce
from convatlas.graph.source import Beside, Constant

Plan = tuple[tuple[int, tuple[int, ...]], ...]  # bytes for each value, storages let go afterwards


@dataclass(frozen=True, slots=True)
class Liveness:
    """Bytes that each node allocates, and bytes alive while it runs, in the order of the nodes."""

    allocated: tuple[int, ...]
    alive: tuple[int, ...]

    @property
    def peak(self) -> int:
        """The most that is alive at once."""
        return max(self.alive, default=0)

    @property
    def at(self) -> int:
        """The first node during which so much is alive."""
        return self.alive.index(self.peak)

    @property
    def total(self) -> int:
        """Everything that is ever allocated, as if nothing were let go."""
        return sum(self.allocated)


def liveness(graph: Graph, made: Propagation) -> Liveness:
    """The memory of a pass with the sizes of a propagation."""
    if reordered(graph):
        plan = planned(graph, [layout.owner for layout in layouts(graph, made)])
    else:
        plan = vars(graph).get("_plan") or _kept(graph)
    sizes: dict[int, int] = {}  # by measure, of which propagation shares equal ones
    allocated: list[int] = []
    alive: list[int] = []
    now = 0
    for (itemsize, gone), measure in zip(plan, made.measures, strict=True):
        if itemsize:
            count = sizes.get(id(measure))
            if count is None:
                count = sizes[id(measure)] = elements(measure[0])
            taken = count * itemsize
            now += taken
            allocated.append(taken)
        else:
            allocated.append(0)
        alive.append(now)
        for index in gone:
            now -= allocated[index]
    return Liveness(tuple(allocated), tuple(alive))


def planned(graph: Graph, owners: Sequence[int]) -> Plan:
    """What depends on the graph alone, given whose storage each node uses."""
    last = list(range(len(owners)))
    for index, node in enumerate(graph.nodes):
        for read in node.inputs[: node.data]:
            last[owners[read]] = index
        last[owners[index]] = index
    kept = {owners[index] for _, index in graph.outputs}
    gone: list[list[int]] = [[] for _ in owners]
    for index, owner in enumerate(owners):
        if owner == index and index not in kept:
            gone[last[index]].append(index)
    return tuple(
        (itemsize(graph, node) if owners[index] == index else 0, tuple(gone[index]))
        for index, node in enumerate(graph.nodes)
    )


def itemsize(graph: Graph, node: Node) -> int:
    """Bytes for each value of a node that has a storage of its own.

    A parameter used as it is takes none here, nor do the statistics beside a norm's result.
    """
    if isinstance(node.operation, Constant) and node.parameters:
        return 0
    if isinstance(node.operation, Beside):
        maker = graph.nodes[node.inputs[0]].operation
        return BYTES[node.dtype] if isinstance(maker, Pool | AdaptivePool | Reduce) else 0
    return BYTES[node.dtype]


def _kept(graph: Graph) -> Plan:
    """The plan of a graph whose views never copy: it stays with the graph."""
    owners: list[int] = []
    for index, node in enumerate(graph.nodes):
        owners.append(owners[node.inputs[0]] if aliases(node) and node.inputs else index)
    plan: Plan = planned(graph, owners)
    vars(graph)["_plan"] = plan
    return plan
