"""Which input sizes a network takes."""

from dataclasses import dataclass

from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit, OtherWay, propagate

FURTHEST = 1024  # sides looked at at the most


@dataclass(frozen=True, slots=True)
class Legal:
    """Sides of square pictures that pass.

    ``smallest`` and ``largest`` are of the first run of sides without a gap; ``largest`` is
    ``None`` where no end was found. ``mapped``: the smallest side at which every map has a
    pixel, whether or not a dense layer then fits.
    """

    smallest: int | None
    largest: int | None
    mapped: int | None


def legal(graph: Graph, batch: int = 1) -> Legal:
    """Tried side by side; a network that takes a larger picture is taken to go on doing so."""
    first = mapped = None
    usual = max(graph.inputs[0][2:], default=0)
    for side in range(1, FURTHEST + 1):
        reason = refusal(graph, side, batch)
        if mapped is None and (reason is None or ends_at_dense(graph, reason)):
            mapped = side
        if reason is None:
            first = side
            break
    if first is None:
        return Legal(None, None, mapped)
    if refusal(graph, max(4 * usual, FURTHEST), batch) is None:
        return Legal(first, None, mapped)
    last = first
    while last < FURTHEST and refusal(graph, last + 1, batch) is None:
        last += 1
    return Legal(first, last, mapped)


def square(graph: Graph, side: int, batch: int = 1) -> tuple[Shape, ...]:
    """The graph's input with another side; an input that is no picture keeps its shape."""
    return tuple(
        (batch, shape[1], *(side,) * (len(shape) - 2)) if len(shape) > 2 else (batch, *shape[1:])
        for shape in graph.inputs
    )


def refusal(graph: Graph, side: int, batch: int = 1) -> UserError | None:
    """Why a side is not taken, or ``None`` if it is, or if the graph cannot tell."""
    try:
        propagate(graph, square(graph, side, batch))
    except OtherWay:
        return None
    except UserError as error:
        return error
    return None


def ends_at_dense(graph: Graph, reason: UserError) -> bool:
    """Whether the maps were all there and only a dense layer of another size was in the way."""
    return isinstance(reason, DoesNotFit) and isinstance(graph.nodes[reason.index].operation, Dense)
