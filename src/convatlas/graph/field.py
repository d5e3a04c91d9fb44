"""The receptive field of every node: size, jump and start, the same for all positions.

Along an axis of the picture the value at index ``i`` reads from ``low + i·jump`` to
``high + i·jump``, borders not clipped. Where axes are upsampled ``low``, ``high`` and ``jump`` are
fractions, bounds of what is read, and the size is that of the position that reads most.
Normalisation counts as pointwise.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from convatlas.graph import field_rules as rules
from convatlas.graph.conv import Conv
from convatlas.graph.field_axes import Field, slid_along
from convatlas.graph.field_split import plain
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pool import Pool, SubSampling
from convatlas.graph.propagate import Propagation
from convatlas.graph.window import Window

Rule = Callable[[Operation, Sequence[Field | None], Sequence[Shape], Shape], Field | None]


class Step(NamedTuple):
    """How one distinct operation moves a field: it does not, by equal windows, or by a rule."""

    passes: bool
    window: Window | None  # the same on both axes
    rule: Rule


def fields(graph: Graph, made: Propagation, source: int = 0) -> tuple[Field | None, ...]:
    """The field of every node on input number ``source``; ``None`` where it is not read.

    Windows and sums of branches see the same at every input size, so what a graph has been asked
    once is kept with it; only what depends on sizes (a global pool, say) is worked out again.
    """
    kept: dict[int, Kept] = vars(graph).setdefault("_fields", {})
    if source not in kept:
        kept[source] = _walk(graph, made, source)
        return kept[source].known
    found = list(kept[source].known)
    seen = Seen()
    for index in kept[source].open_ends:
        found[index] = _by_rule(graph, made, found, index, seen)
    return tuple(found)


class Seen:
    """What equal operations made of the same fields: deep networks repeat themselves."""

    def __init__(self) -> None:
        self.made: dict[tuple[object, ...], Field | None] = {}
        self._fields: dict[tuple[object, ...], Field] = {}

    def one(self, field: Field) -> Field:
        """The same object for fields of the same axes, none of which is read as a whole."""
        if not field.local:
            return field
        axes = tuple([id(axis) for axis in field.axes])  # they live as long as the fields
        return self._fields.setdefault((axes, field.dims, field.split), field)


class Kept(NamedTuple):
    """Fields of a graph, and the nodes whose field depends on the input's size."""

    known: tuple[Field | None, ...]
    open_ends: tuple[int, ...]


def _walk(graph: Graph, made: Propagation, source: int) -> Kept:
    """Every field, and which of them depend on sizes."""
    found: list[Field | None] = []
    open_ends: list[int] = []
    sized: set[int] = set()
    steps: dict[int, Step] = {}
    seen = Seen()
    entry = 0
    for index, (number, first, _, operation, is_input) in enumerate(graph.steps):
        if is_input:
            found.append(_start(made.measures[index][0]) if entry == source else None)
            entry += 1
            continue
        step = steps.get(number)
        if step is None:
            step = steps[number] = _step(operation)
        node = graph.nodes[index]
        reads = [found[i] for i in node.inputs[: node.data]]
        field = found[first] if first >= 0 else None
        found.append(None)
        if not sized.isdisjoint(node.inputs[: node.data]) or not _is_local(step, reads):
            sized.add(index)
            open_ends.append(index)
            found[index] = _by_rule(graph, made, found, index, seen)
        elif field is None or (step.passes and all(other is field for other in reads)):
            found[index] = field
        elif step.window is not None:
            found[index] = slid_along(field, step.window)
        else:
            found[index] = _by_rule(graph, made, found, index, seen)
    return Kept(tuple(found), tuple(open_ends))


def _is_local(step: Step, reads: Sequence[Field | None]) -> bool:
    """Whether what is seen is the same at every size: a window, or values side by side."""
    if not all(field is not None and field.local and field.dims == (2, 3) for field in reads):
        return all(field is None for field in reads) and step.rule is not rules.lost
    return step.passes or step.window is not None or step.rule is rules.pointwise


def _by_rule(
    graph: Graph, made: Propagation, found: Sequence[Field | None], index: int, seen: Seen
) -> Field | None:
    node, number = graph.nodes[index], graph.steps[index].number
    reads = [found[i] for i in node.inputs[: node.data]]
    if all(read is None for read in reads):
        return None  # whatever it does, it reads nothing of the picture
    shapes = [made.measures[i][0] for i in node.inputs]
    # maps that lie as pictures do are quicker followed than looked up
    plainly = reads[0] is not None and reads[0].dims == (2, 3)
    key = None if plainly else (number, *map(id, reads), *shapes)
    if key is not None and key in seen.made:
        return seen.made[key]
    rule = rules.RULES.get(type(node.operation), rules.lost)
    sizes_alone = [None] * (len(node.inputs) - node.data)
    field = rule(node.operation, [*reads, *sizes_alone], shapes, made.measures[index][0])
    if field is not None and field.split is not None:
        mixed = rule in rules.MIXING
        if mixed or all(field is not one for one in reads):  # else it has been tried
            field = plain(field, coarser=mixed)
    if key is not None:
        field = seen.made[key] = field and seen.one(field)
    return field


def _start(shape: Shape) -> Field | None:
    """A picture's own pixels: one, at every step of one."""
    dims = tuple(range(2, len(shape)))
    return Field.of_pixels(dims) if dims else None


def _step(operation: Operation) -> Step:
    kind = type(operation)
    rule = rules.RULES.get(kind, rules.lost)
    passes = rule is rules.pointwise
    window: Window | None = None
    if isinstance(operation, Conv | Pool | SubSampling):
        each = operation.windows
        if len(each) == 2 and each[0] == each[1]:
            window = each[0]
            passes = (window.before, window.reach, window.stride) == (0, 0, 1)
    return Step(passes, window, rule)
