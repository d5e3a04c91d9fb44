"""One network over input sizes and batches."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from convatlas.analysis.legal import square
from convatlas.analysis.memory import training_memory
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.liveness import liveness
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import propagate

MOST = 20_000  # points of a sweep
RANGE = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?(?::(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One input; ``fails`` says why it is not taken, and the figures are then 0."""

    side: int
    batch: int
    macs: int = 0
    activations: int = 0  # bytes of everything that is made
    peak: int = 0  # bytes of what lives at once
    training: int | None = None  # bytes at once of a step with SGD and momentum; None: it fails
    map: Shape = ()  # the last map with height and width larger than one
    output: Shape = ()
    fails: str = ""


# The network for an input of a side and a batch, as it runs and as it runs in training.
GraphsAt = Callable[[int, int], tuple[Graph, Graph]]


def sweep(graphs: GraphsAt, sides: Iterable[int], batches: Iterable[int]) -> Iterator[Point]:
    """Every side with every batch. ``graphs`` may raise `UserError` for an input not taken."""
    each = list(batches)
    for side in sides:
        for batch in each:
            yield _point(graphs, side, batch)


def _point(graphs: GraphsAt, side: int, batch: int) -> Point:
    try:
        graph, trained = graphs(side, batch)
        made = propagate(graph, square(graph, side, batch))
    except UserError as error:
        return Point(side=side, batch=batch, fails=str(error))
    live = liveness(graph, made)
    maps = [m.shape for m in made.measures if len(m.shape) == 4 and max(m.shape[2:]) > 1]
    return Point(
        side=side,
        batch=batch,
        macs=made.macs,
        activations=live.total,
        peak=live.peak,
        training=_training(trained, side, batch),
        map=maps[-1][1:] if maps else (),
        output=made.measures[graph.outputs[0][1]].shape[1:],
    )


def _training(graph: Graph, side: int, batch: int) -> int | None:
    try:
        return training_memory(graph, square(graph, side, batch)).peak
    except UserError:  # batch normalisation of a single value
        return None


def parse_range(text: str, what: str) -> tuple[int, ...]:
    """``32,64,128``, ``32..512`` or ``32..512:32`` as numbers from 1 on; raises `UserError`."""
    numbers: list[int] = []
    for part in text.split(","):
        found = RANGE.fullmatch(part.strip())
        first, last, step = (int(number) for number in found.groups("1")) if found else (0, 0, 0)
        last = last if found and found[2] else first
        if first < 1 or step < 1 or last < first:
            raise UserError(
                f"{what} {text!r} is no range; write 224, or 32,64,128, or 32..512, or 32..512:32"
            )
        if (last - first) // step + len(numbers) >= MOST:
            raise UserError(f"{what} {text!r} has more than {MOST:,} values; take larger steps")
        numbers += range(first, last + 1, step)
    return tuple(numbers)
