"""Layers that do not fit one another, whatever the input: channels, and branches that meet."""

from collections.abc import Iterator

from convatlas.analysis.doctor.mends import (
    Mend,
    giving,
    passes,
    passing,
    projection,
    resized,
    taking,
)
from convatlas.analysis.doctor.origins import origin, place_of
from convatlas.analysis.legal import has_sides, square
from convatlas.errors import UserError
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm
from convatlas.graph.operation import Operation, Shape, shown
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit, propagate
from convatlas.graph.rearrange import Concat
from convatlas.graph.source import Input

NEAR = 64  # sides larger than the one asked about that are looked at
Told = tuple[str, str, tuple[str, ...]]  # what, says, changes


def mixed(operation: Operation, given: Shape) -> tuple[int, int] | None:
    """The axis of channels and how many it must have, if that is what does not fit."""
    if isinstance(operation, Conv | ConvTransposed):
        axis, wanted = -len(operation.kernel) - 1, operation.c_in
        fits = len(operation.kernel) < len(given) <= len(operation.kernel) + 2
        return (axis, wanted) if fits and given[axis] != wanted else None
    if isinstance(operation, BatchNorm | GroupNorm):
        wanted = operation.features
        return (1 - len(given), wanted) if len(given) > 1 and given[1] != wanted else None
    if isinstance(operation, LayerNorm) and len(operation.over) == 1:
        return -1, operation.over[0]
    return None


def channels(graph: Graph, error: DoesNotFit, axis: int, wanted: int) -> Told:
    """A layer built for another number of channels than come; ``axis`` from the end."""
    node = graph.nodes[error.index]
    shape = error.made.measures[node.inputs[0]].shape
    given, place = shape[axis], node.path
    found = origin(graph, error.made, node.inputs[0], axis + len(shape))
    changes: list[str] = []
    if isinstance(graph.nodes[found.node].operation, Input) and len(shape) > 2:
        changes.append(f"an input of {wanted} channels")
    own = taking(node.operation, given, place)
    if own is not None and passes(graph, error, {error.index: own.edits[-1]}):
        changes.append(own.text)
    theirs = giving(graph, error, node.inputs[0], axis + len(shape), wanted)
    changes += [mend.text for mend in passing(graph, error, theirs)]
    noun = "values" if isinstance(node.operation, Dense | LayerNorm) else "channels"
    come = f"{given:,} come from {_sources(graph, error, found.node)}"
    return "channels", f"takes {wanted:,} {noun}, but {come}", tuple(changes)


def _sources(graph: Graph, error: DoesNotFit, index: int) -> str:
    """The layer that channels come from; of maps side by side each with its share."""
    node = graph.nodes[index]
    if not isinstance(node.operation, Concat):
        return place_of(graph, index)
    axis = node.operation.axis % len(error.made.measures[index].shape)
    parts = []
    for place in node.inputs[: node.data]:
        share = error.made.measures[place].shape[axis]
        parts.append(f"{place_of(graph, origin(graph, error.made, place, axis).node)} ({share:,})")
    return " and ".join(parts)


def joined(graph: Graph, error: DoesNotFit) -> tuple[str, tuple[str, ...]]:
    """Branches that are added or put side by side, but are of different shapes."""
    node = graph.nodes[error.index]
    ways = node.inputs[: node.data]
    shapes = [error.made.measures[way].shape for way in ways]
    named = " and ".join(
        f"{shown(shape)} from {_last(graph, way)}" for shape, way in zip(shapes, ways, strict=True)
    )
    says = f"{named} do not go together"
    if isinstance(node.operation, Concat):
        says = f"cannot join {named} along axis {node.operation.axis}: the other axes differ"
    changes = [mend.text for mend in passing(graph, error, _tries(graph, error))]
    if not changes and len(shapes) == 2 and (text := projection(*shapes)):
        changes.append(text)
    return says, tuple(dict.fromkeys(changes))


def _tries(graph: Graph, error: DoesNotFit) -> Iterator[Mend]:
    """For each branch: as many channels as another has; then another size of its last window."""
    node = graph.nodes[error.index]
    ways = node.inputs[: node.data]
    shapes = {way: error.made.measures[way].shape for way in ways}
    for way, shape in shapes.items():
        for other in shapes.values():
            if len(shape) == len(other) > 1 and shape[1] != other[1]:
                yield from giving(graph, error, way, 1, other[1])
    for way in shapes:
        yield from resized(graph, error, way)


def nearest(graph: Graph, error: DoesNotFit) -> Iterator[str]:
    """The nearest square on which a sum is one of equals, none of them an axis of 1 stretched."""
    if not graph.outputs or not has_sides(graph):
        return
    ways = graph.nodes[error.index].inputs[: graph.nodes[error.index].data]
    asked = error.made.inputs
    own = next(shape for shape in asked if len(shape) > 2)
    for side in sorted(range(1, max(own[2:]) + NEAR), key=lambda side: abs(side - max(own[2:]))):
        try:
            made = propagate(graph, square(graph, side, asked[0][0]))
        except UserError:
            continue
        if len({made.measures[way].shape[1:] for way in ways}) == 1:
            yield f"an input of {shown((own[1], *(side for _ in own[2:])))}"
            return


def _last(graph: Graph, index: int) -> str:
    """The last layer with a name on the first way to a node."""
    while not graph.nodes[index].path and graph.nodes[index].inputs:
        index = graph.nodes[index].inputs[0]
    return place_of(graph, index)
