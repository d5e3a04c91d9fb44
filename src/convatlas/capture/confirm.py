"""A second look at another size: whether a network's code does there what its graph says.

Python reads some numbers without a size being asked (`convatlas.capture.dim`): ``range(size)``,
``0.5 * size``, ``math.log2(size)``, an entry of a list. What follows is not in the graph;
but at another size the code does something else, and then the graph is held to its own. Only code
that rounds so coarsely that it does the same at both, ``int(0.001 * size)``, is not told.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from convatlas.errors import UserError
from convatlas.graph.graph import Graph, Guard
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import propagate
from convatlas.graph.sizes import SizeOf
from convatlas.graph.source import Input

Axis = tuple[int, int]  # which input, which axis of it
Again = Callable[[tuple[Shape, ...]], Graph | None]  # the graph for other inputs, if there is one


def confirmed(graph: Graph, again: Again) -> Graph:
    """The graph, with a guard for every axis at whose other lengths the code does something else.

    All axes at once first, for that is what most networks take and agree about.
    """
    batch, space = _batch(graph), _space(graph)
    if _agrees(graph, again, (*batch, *space)):
        return graph
    for axes in (batch, space):
        if _agrees(graph, again, axes) is False:
            graph = _held(graph, axes)
        elif axes is space:
            alone = [each for each in axes if _agrees(graph, again, (each,)) is False]
            graph = _held(graph, alone)
    return graph


def for_one_size(graph: Graph) -> Graph:
    """The graph good for the captured sizes alone: nobody has looked at others."""
    return _held(graph, (*_batch(graph), *_space(graph)))


def _batch(graph: Graph) -> tuple[Axis, ...]:
    return tuple((place, 0) for place, shape in enumerate(graph.inputs) if len(shape) > 1)


def _space(graph: Graph) -> tuple[Axis, ...]:
    return tuple(
        (place, axis)
        for place, shape in enumerate(graph.inputs)
        for axis in range(2 if len(shape) > 3 else 1, len(shape))
    )


def _agrees(graph: Graph, again: Again, axes: Sequence[Axis]) -> bool | None:
    """Whether the code does what the graph says with these axes longer.

    One more than twice as long if the graph says anything about it, for then no divisor stays;
    else twice as long. ``None`` if it says nothing about either.
    """
    for more in (1, 0):
        asked = tuple(_longer(graph, axes, more))
        try:
            propagate(graph, asked)
        except UserError:
            continue
        found = again(asked)
        return found is not None and found.nodes == graph.nodes
    return None


def _longer(graph: Graph, axes: Sequence[Axis], more: int) -> Iterator[Shape]:
    for place, shape in enumerate(graph.inputs):
        yield tuple(
            size * 2 + more if (place, axis) in axes else size for axis, size in enumerate(shape)
        )


def _held(graph: Graph, axes: Sequence[Axis]) -> Graph:
    """The graph good for the captured lengths of these axes alone."""
    nodes = [n for n, node in enumerate(graph.nodes) if isinstance(node.operation, Input)]
    guards = tuple(
        Guard(SizeOf(0, axis), "==", graph.inputs[place][axis], True, (nodes[place],), "")
        for place, axis in axes
    )
    return replace(graph, guards=(*graph.guards, *guards))
