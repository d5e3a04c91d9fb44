"""What differs between two networks by meaning, not by text or by the names of modules."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from convatlas.analysis.differences.changes import of_networks, of_settings, of_wiring
from convatlas.analysis.differences.difference import Change, Difference, Effect, Kind
from convatlas.analysis.differences.fold import fold
from convatlas.analysis.differences.gaps import of_gaps
from convatlas.analysis.differences.matching import Matching, match
from convatlas.analysis.differences.sides import Side, Sides
from convatlas.analysis.meaning.words import named
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape, elements
from convatlas.graph.propagate import Propagation, propagate

FieldOf = Callable[[Graph, Propagation], int | None]


def diff(
    a: Graph,
    b: Graph,
    *,
    inputs: tuple[Shape, ...] | None = None,
    field: FieldOf | None = None,
) -> Difference:
    """Every difference in meaning between two networks, at the same input.

    ``inputs``: shapes with their batch, by default those of ``a``; where ``b`` cannot take them it
    keeps its own, and that is a difference. ``field``: the receptive field of a network.
    """
    made_a = propagate(a, inputs)
    made_b = _at(b, made_a.inputs)
    found = [_compared(*_sides(a, b, made_a, made_b, by_depth=False))]
    # branches may be joined in another order: the reading that leaves less to say is the right one
    if not found[0].same:
        found.append(_compared(*_sides(a, b, made_a, made_b, by_depth=True)))
    best = min(found, key=lambda difference: len(difference.changes))
    if field is None:
        return best
    before, after = field(a, made_a), field(b, made_b)
    grown = None if before is None or after is None else after - before
    return replace(best, effect=replace(best.effect, field=grown))


def _at(graph: Graph, inputs: tuple[Shape, ...]) -> Propagation:
    """A graph at another's input, or at its own where it cannot take that."""
    try:
        return propagate(graph, inputs)
    except (UserError, IndexError, ValueError):
        return propagate(graph)


def _sides(
    a: Graph, b: Graph, made_a: Propagation, made_b: Propagation, *, by_depth: bool
) -> Sides:
    return Side.of(a, made_a, by_depth=by_depth), Side.of(b, made_b, by_depth=by_depth)


def _compared(a: Side, b: Side) -> Difference:
    sides = a, b
    matching = match(a.items, b.items, (a.paths, b.paths))
    changes = fold(
        [
            *of_networks(sides),
            *of_settings(sides, matching),
            *of_gaps(sides, matching),
            *of_wiring(sides, matching),
        ]
    )
    effect = Effect(b.total[0] - a.total[0], b.total[1] - a.total[1])
    changes, follows = _accounted(changes, effect)
    return Difference(
        a=a.graph.name,
        b=b.graph.name,
        changes=changes,
        follows=follows,
        effect=effect,
        parameters=(a.total[0], b.total[0]),
        macs=(a.total[1], b.total[1]),
        same_shapes=_shapes(a) == _shapes(b),
        same_weights=a.weights == b.weights,
        alike=_alike(sides, matching, changes),
        kinds=_kinds(sides),
    )


def _accounted(changes: tuple[Change, ...], effect: Effect) -> tuple[tuple[Change, ...], Effect]:
    """What no change is held to account for follows from them all; from one alone it is its own."""
    if len(changes) == 1:
        return (replace(changes[0], effect=effect),), Effect()
    told = sum((change.effect for change in changes), Effect())
    return changes, Effect(effect.parameters - told.parameters, effect.macs - told.macs)


def _shapes(side: Side) -> list[int]:
    """How much every layer with parameters makes."""
    own = (elements(item.shape) for item in side.items if item.parameters)
    return sorted(own)


def _alike(sides: Sides, matching: Matching, changes: tuple[Change, ...]) -> float:
    """The share of the larger network's items that have a counterpart of their own kind.

    Blocks that only stand more often count as having one.
    """
    a, b = sides
    same = sum(named(a.items[i]) == named(b.items[j]) for i, j in matching.there.items())
    same += sum(change.operations for change in changes if change.what.startswith("blocks"))
    return same / max(len(a.items), len(b.items), 1)


def _kinds(sides: Sides) -> tuple[Kind, ...]:
    """Both networks by kind of operation."""
    found: dict[str, list[list[int]]] = defaultdict(lambda: [[0, 0], [0, 0], [0, 0]])
    for n, side in enumerate(sides):
        columns = zip(side.items, side.parameters, side.macs, strict=True)
        for item, parameters, macs in columns:
            counts = found[named(item)]
            for row, number in enumerate((1, parameters, macs)):
                counts[row][n] += number
    return tuple(Kind(name, *((row[0], row[1]) for row in rows)) for name, rows in found.items())
