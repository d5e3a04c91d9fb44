"""Changes of single layers after which an operation takes what it is given; each is tried."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from convatlas.analysis.doctor.origins import origin
from convatlas.errors import UserError
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm
from convatlas.graph.operation import Operation, Shape, ShapeError, elements, shown
from convatlas.graph.pool import Pool
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit, propagate

Edits = dict[int, Operation]  # by node


class Mend(NamedTuple):
    """A change in words, and the operations that it puts into the graph."""

    text: str
    edits: Edits


def passing(graph: Graph, error: DoesNotFit, mends: Iterable[Mend]) -> Iterator[Mend]:
    """Those after which the operation that failed passes."""
    for mend in mends:
        if passes(graph, error, mend.edits):
            yield mend


def passes(graph: Graph, error: DoesNotFit, edits: Edits) -> bool:
    """Whether the input comes further than the operation that failed."""
    try:
        propagate(edited(graph, edits), error.made.inputs)
    except DoesNotFit as later:
        return later.index > error.index
    except UserError:
        return False  # the network's own code would go another way
    return True


def edited(graph: Graph, edits: Edits) -> Graph:
    """The graph with other operations; a layer that is called several times changes everywhere."""
    changed = {(graph.nodes[n].path, graph.nodes[n].operation): new for n, new in edits.items()}
    nodes = (
        replace(node, operation=changed.get((node.path, node.operation), node.operation))
        for node in graph.nodes
    )
    return replace(graph, nodes=tuple(nodes))


def taking(operation: Operation, given: int, place: str) -> Mend | None:
    """The layer itself built for as many channels as come, without its node."""
    if not place:
        return None
    if isinstance(operation, Conv | ConvTransposed):
        if 1 < operation.groups == operation.c_in and not operation.c_out % given:
            text = f"in_channels={given} and groups={given} in {place}"
            return Mend(text, {-1: replace(operation, c_in=given, groups=given)})
        if given % operation.groups:
            return None
        return Mend(f"in_channels={given} in {place}", {-1: replace(operation, c_in=given)})
    if isinstance(operation, Dense):
        return Mend(f"in_features={given} in {place}", {-1: replace(operation, c_in=given)})
    if isinstance(operation, BatchNorm):
        return Mend(f"num_features={given} in {place}", {-1: replace(operation, features=given)})
    if isinstance(operation, GroupNorm) and not given % operation.groups:
        return Mend(f"num_channels={given} in {place}", {-1: replace(operation, features=given)})
    if isinstance(operation, LayerNorm) and len(operation.over) == 1:
        return Mend(f"normalized_shape={given} in {place}", {-1: replace(operation, over=(given,))})
    return None


def giving(graph: Graph, error: DoesNotFit, index: int, axis: int, wanted: int) -> Iterator[Mend]:
    """The layer that the channels come from built for another number, with norms on the way."""
    found = origin(graph, error.made, index, axis)
    operation, place = graph.nodes[found.node].operation, graph.nodes[found.node].path
    if not isinstance(operation, Conv | ConvTransposed | Dense) or not place:
        return
    if not isinstance(operation, Dense) and wanted % operation.groups:
        return
    noun = "features" if isinstance(operation, Dense) else "channels"
    text = f"out_{noun}={wanted} in {place}"
    edits: Edits = {found.node: replace(operation, c_out=wanted)}
    also = []
    for passed in found.way:
        norm = taking(graph.nodes[passed].operation, wanted, graph.nodes[passed].path)
        if norm is not None and not isinstance(graph.nodes[passed].operation, Conv):
            edits[passed] = norm.edits[-1]
            also.append(norm.text)
    yield Mend(f"{text} (and {', '.join(also)})" if also else text, edits)


def resized(graph: Graph, error: DoesNotFit, index: int) -> Iterator[Mend]:
    """The last window on a way with another padding or stride, the nearest that fits."""
    found = window_before(graph, error, index)
    if found is None:
        return
    operation, place = graph.nodes[found].operation, graph.nodes[found].path
    assert isinstance(operation, Conv | Pool)
    tries: list[Mend] = []
    for pad in sorted(range(max(operation.kernel)), key=lambda p: abs(p - operation.padding[0][0])):
        if isinstance(operation, Pool) and pad > min(operation.kernel) // 2:
            continue  # torch's pools take half their kernel at the most
        padded = replace(operation, padding=((pad, pad),) * len(operation.kernel))
        tries.append(Mend(f"padding={pad} in {place}", {found: padded}))
    for stride in (1, 2, 4):
        strided = replace(operation, stride=(stride,) * len(operation.kernel))
        tries.append(Mend(f"stride={stride} in {place}", {found: strided}))
    if isinstance(operation, Pool):
        eased = replace(operation, ceil=True)
        tries.insert(0, Mend(f"rounding up (ceil_mode=True) in {place}", {found: eased}))
    yield from list(passing(graph, error, tries))[:1]


def window_before(graph: Graph, error: DoesNotFit, index: int) -> int | None:
    """The last convolution or pool on the first way to a node that is a module with a name."""
    while graph.nodes[index].inputs:
        if isinstance(graph.nodes[index].operation, Conv | Pool) and graph.nodes[index].path:
            return index
        if len(error.made.measures[index].shape) < 3:
            return None
        index = graph.nodes[index].inputs[0]
    return None


def projection(one: Shape, other: Shape) -> str:
    """A 1×1 convolution that makes the larger of two maps like the smaller; "" if there is none."""
    if len(one) != len(other) or len(one) < 3 or one[0] != other[0]:
        return ""
    if elements(one[2:]) == 1 or elements(other[2:]) == 1:
        return ""  # a gate for whole maps
    big, small = sorted((one, other), key=lambda shape: shape[2:], reverse=True)
    stride = -(-big[2] // max(small[2], 1))
    axes = len(big) - 2
    conv = Conv(
        c_in=big[1],
        c_out=small[1],
        kernel=(1,) * axes,
        stride=(stride,) * axes,
        padding=((0, 0),) * axes,
        dilation=(1,) * axes,
    )
    try:
        fits = conv.measure((big,)).shape == small
    except ShapeError:
        fits = False
    if not fits:
        return ""
    step = f", stride {stride}" if stride > 1 else ""
    return f"a 1×1 convolution, {big[1]} → {small[1]}{step}, on the way of {shown(big)}"
