"""A graph by meaning: what is written differently but is the same becomes the same.

Views and permutations are told by the order of values they make, constants are folded, what does
nothing is left out; the rest is in `rewrites`. The items stand in an order that depends on what
reads what, not on when it runs.
"""

from dataclasses import replace
from zlib import crc32

from convatlas.analysis.meaning.item import Item
from convatlas.analysis.meaning.layout import VIEWS, Layout, moved
from convatlas.analysis.meaning.order import in_order
from convatlas.analysis.meaning.rewrites import REWRITES, laid_out
from convatlas.analysis.meaning.roles import Value, meaning
from convatlas.graph.graph import Graph, Node
from convatlas.graph.operation import Shape
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.propagate import Propagation
from convatlas.graph.rearrange import Concat, Permute, Roll, Select, Slice
from convatlas.graph.sizes import value
from convatlas.graph.source import Beside, Constant, Input

NOTHING = ("contiguous", "clone")


def canonical(graph: Graph, made: Propagation, *, by_depth: bool = False) -> tuple[Item, ...]:
    """The items that the outputs depend on, each behind those it reads.

    ``by_depth``: branches of a concatenation follow each other by depth, not as they are joined.
    """
    build = Build(graph, made)
    for index, node in enumerate(graph.nodes):
        build.add(index, node)
    return in_order(build.items, [build.at[index] for _, index in graph.outputs], by_depth)


class Build:
    """Items as they are made, node by node."""

    def __init__(self, graph: Graph, made: Propagation) -> None:
        self.graph, self.shapes = graph, made.shapes
        self.items: list[Item] = []
        self.at: list[int] = []  # the item that stands for each node
        self.tokens: dict[object, int] = {}
        self.readers: dict[int, set[int]] = {}  # which operations read a parameter
        for index, node in enumerate(graph.nodes):
            for parameter in node.parameters:
                self.readers.setdefault(parameter, set()).add(index)

    def add(self, index: int, node: Node) -> None:
        """The item for a node: an earlier one if it does nothing, else a new one."""
        reads = tuple(self.at[i] for i in node.inputs[: node.data])
        given = tuple(self.shapes[i] for i in node.inputs)
        made = self.shapes[index]
        if self._is_constant(node, reads):
            self.at.append(self._new(Item("constant", (), (), (index,), made)))
            return
        if reads and _does_nothing(node, given, made):
            self.at.append(reads[0])
            return
        if isinstance(node.operation, (*VIEWS, Permute, Select, Slice)):
            place = self._laid_out(index, node, reads[0], given, made)
            if place is not None:
                self.at.append(place)
                return
        self.at.append(self._operation(index, node, reads, given))

    def _operation(
        self, index: int, node: Node, reads: tuple[int, ...], given: tuple[Shape, ...]
    ) -> int:
        made = self.shapes[index]
        data = given[: node.data] if isinstance(node.operation, Arithmetic | Concat) else given
        role, settings = meaning(node.operation, data, made, self.graph.training)
        if isinstance(node.operation, Input):
            role, settings = "input", {"channels": made[1] if len(made) > 1 else 0}
        if isinstance(node.operation, Constant):
            role, settings = "parameter", {"shape": made}
        settings |= self._ownership(node)
        item = Item(role, tuple(settings.items()), reads, (index,), made, node.parameters)
        for rule in REWRITES:
            changed = rule(self, item)
            if isinstance(changed, int):
                return changed
            item = changed
        return self._new(item)

    def shape_of(self, item: Item) -> Shape:
        """The shape of what an item's last node reads."""
        return self.shapes[self.graph.nodes[item.nodes[-1]].inputs[0]]

    def _new(self, item: Item) -> int:
        key = (item.role, item.settings)
        token = self.tokens.get(key)
        if token is None:
            token = self.tokens[key] = crc32(repr(key).encode())
        self.items.append(replace(item, token=token))
        return len(self.items) - 1

    def _is_constant(self, node: Node, reads: tuple[int, ...]) -> bool:
        """Buffers, fillers and all that is computed from nothing else."""
        if any(not self.graph.parameters[p].buffer for p in node.parameters):
            return False
        if isinstance(node.operation, Input):
            return False
        return all(self.items[read].role == "constant" for read in reads)

    def _ownership(self, node: Node) -> dict[str, Value]:
        """What is unusual about a node's parameters, and its kind of numbers."""
        own = [p for p in node.parameters if not self.graph.parameters[p].buffer]
        found: dict[str, Value] = {}
        if own:
            trained = {self.graph.parameters[p].trainable for p in own}
            names = {(True,): "all", (False,): "none", (False, True): "some"}
            found["trained"] = names[tuple(sorted(trained))]
            found["shared"] = any(len(self.readers[p]) > 1 for p in own)
            found["numbers"] = self.graph.parameters[own[0]].dtype
        return found

    def _laid_out(
        self, index: int, node: Node, read: int, given: tuple[Shape, ...], made: Shape
    ) -> int | None:
        """One more step of a chain of views; ``None`` where it is an operation of its own."""
        before = self.items[read]
        start, source = before.layout, before.inputs[0] if before.layout else read
        if start is None:
            if isinstance(node.operation, Select | Slice):
                return None
            start = Layout.of(given[0])
        try:
            layout = moved(start, node.operation, given, made)
        except ValueError:
            return None
        if layout.untouched:
            return source
        return self._new(laid_out(source, layout, (index,), made))


def _does_nothing(node: Node, given: tuple[Shape, ...], made: Shape) -> bool:
    operation = node.operation
    if isinstance(operation, Slice):
        return given[0] == made
    if isinstance(operation, Roll):
        return not any(value(shift, given) for shift in operation.shifts)
    if isinstance(operation, Arithmetic):
        return operation.function in NOTHING or _neutral(operation)
    return isinstance(operation, Beside)


def _neutral(operation: Arithmetic) -> bool:
    """Plus nothing, times one."""
    return (operation.function, operation.constant) in {
        *(("add", 0.0), ("mul", 1.0), ("div", 1.0), ("pow", 1.0))
    }
