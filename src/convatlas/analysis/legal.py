"""Which input sizes a network takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from convatlas.analysis.skeleton import skeleton
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape

FURTHEST = 1024  # sides looked at
EFFORT = 100_000  # steps taken for it; a graph of more steps is looked at less far


@dataclass(frozen=True, slots=True, kw_only=True)
class Legal:
    """Sides of square pictures that pass, of all from 1 to ``looked``.

    ``smallest`` to ``largest``: the first run of sides ``step`` apart; ``largest`` is ``None`` if
    the run goes on to the end of what was looked at. ``others``: more sides pass behind it.
    ``mapped``: the smallest side at which every map has a pixel, whether or not a dense layer then
    fits. ``untold``: at so many of the sides that pass, the network's
    own code would do something else than what the graph shows; that something may fail.
    """

    smallest: int | None = None
    largest: int | None = None
    step: int = 1
    others: bool = False
    mapped: int | None = None
    untold: int = 0
    looked: int = FURTHEST


def legal(graph: Graph, batch: int = 1) -> Legal:
    """Every side is tried; a network without pictures has none."""
    if not has_sides(graph):
        return Legal()
    bones = skeleton(graph)
    own = max(max(shape[2:], default=0) for shape in graph.inputs)
    looked = max(min(FURTHEST, EFFORT // (len(bones.steps) + 1)), min(own + 32, FURTHEST))
    walks = [bones.walked(square(graph, side, batch)) for side in range(1, looked + 1)]
    taken = [side for side, walk in enumerate(walks, start=1) if walk.fits]
    untold = sum(walk.fits and not walk.told for walk in walks)
    maps = (side for side, walk in enumerate(walks, start=1) if walk.fits or walk.dense)
    mapped = next(maps, None)
    if not taken:
        return Legal(mapped=mapped, untold=untold, looked=looked)
    run, step = _first_run(taken)
    return Legal(
        smallest=run[0],
        largest=None if run[-1] + step > looked else run[-1],
        step=step,
        others=len(run) < len(taken),
        mapped=mapped,
        untold=untold,
        looked=looked,
    )


def _first_run(sides: Sequence[int]) -> tuple[Sequence[int], int]:
    """The sides at the front that are equally far apart; two alone make no run unless adjacent."""
    step = sides[1] - sides[0] if len(sides) > 1 else 1
    end = 1
    while end < len(sides) and sides[end] - sides[end - 1] == step:
        end += 1
    if end == 2 and step > 1 and len(sides) > 2:
        return sides[:1], 1
    return sides[:end], step


def has_sides(graph: Graph) -> bool:
    """Whether any input has an axis behind batch and channels."""
    return any(len(shape) > 2 for shape in graph.inputs)


def square(graph: Graph, side: int, batch: int = 1) -> tuple[Shape, ...]:
    """The graph's input with another side; an input that is no picture keeps its shape."""
    return tuple(
        (batch, shape[1], *(side,) * (len(shape) - 2)) if len(shape) > 2 else (batch, *shape[1:])
        for shape in graph.inputs
    )


def takes(graph: Graph, found: Legal) -> str:
    """Which sizes a network takes, in words."""
    if not has_sides(graph):
        sizes = " and ".join("×".join(map(str, shape[1:])) for shape in graph.inputs)
        return f"{graph.name} takes inputs of {sizes}, and no picture whose size could change"
    shape = graph.inputs[0] if len(graph.inputs[0]) > 2 else max(graph.inputs, key=len)
    noun = {1: "lengths", 2: "squares"}.get(len(shape) - 2, "cubes")
    untold = (
        f" as far as this graph tells: at {found.untold} of the sides up to {found.looked} its "
        "code does something else"
        if found.untold
        else ""
    )
    return f"{graph.name} takes {noun} of {_sides(found)}{untold}"


def _sides(found: Legal) -> str:
    if found.smallest is None:
        return f"no side up to {found.looked}"
    more = ", and others" if found.others else ""
    if found.step > 1:
        until = "and so on" if found.largest is None else f"to {found.largest}"
        return f"{found.smallest}, {found.smallest + found.step} {until}, {found.step} apart{more}"
    if found.largest is None:
        return f"{found.smallest} and more{more}"
    if found.largest == found.smallest:
        return f"{found.smallest} alone" if not more else f"{found.smallest}{more}"
    return f"{found.smallest} to {found.largest}{more}"
