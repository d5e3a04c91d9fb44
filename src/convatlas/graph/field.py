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
    """The field of every node on input number ``source``; ``None`` where it is not read."""
    found: list[Field | None] = []
    steps: dict[int, Step] = {}
    measures = made.measures
    entry = 0
    for number, first, others, operation, is_input in graph.steps:
        if is_input:
            found.append(_start(measures[len(found)][0]) if entry == source else None)
            entry += 1
            continue
        field = found[first] if first >= 0 else None
        step = steps.get(number)
        if step is None:
            step = steps[number] = _step(operation)
        if not others:
            if field is None or step.passes:
                found.append(field)
                continue
            if step.window is not None and field.local and field.dims == (2, 3):
                found.append(slid_along(field, step.window))
                continue
        elif step.passes and all(found[other] is field for other in others):
            found.append(field)
            continue
        node = graph.nodes[len(found)]
        sizes_alone = [None] * (len(node.inputs) - node.data)
        found.append(
            step.rule(
                operation,
                [*(found[index] for index in node.inputs[: node.data]), *sizes_alone],
                [measures[index][0] for index in node.inputs],
                measures[len(found)][0],
            )
        )
    return tuple(found)


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
