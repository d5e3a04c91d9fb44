"""Whether the input passes at all; where it ends, and what would let it pass."""

from collections.abc import Iterator
from dataclasses import replace

from convatlas.analysis.describe import describe
from convatlas.analysis.doctor.finding import Finding, named
from convatlas.analysis.legal import Legal, legal
from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm
from convatlas.graph.operation import Operation, Shape, ShapeError, elements, shown
from convatlas.graph.pool import Pool
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit


def refused(graph: Graph, error: DoesNotFit) -> Finding:
    """The one thing that stops an input, told apart by what stops it."""
    node = graph.nodes[error.index]
    given = tuple(error.made.measures[i].shape for i in node.inputs)
    operation = node.operation
    if isinstance(operation, Conv | Pool):
        return _collapsed(graph, error, given[0], operation)
    if isinstance(operation, Dense):
        return _dense(graph, error, given[0], operation)
    what = "batch" if isinstance(operation, BatchNorm) else "shape"
    return Finding(
        weight="error",
        what=what,
        place=named(node.path, describe(operation)),
        says=error.why,
        changes=tuple(_inputs(graph, legal(graph, error.made.inputs[0][0]))),
    )


def _collapsed(graph: Graph, error: DoesNotFit, given: Shape, operation: Conv | Pool) -> Finding:
    """A window that is larger than what is left."""
    node = graph.nodes[error.index]
    place = named(node.path, describe(operation))
    space = given[-len(operation.kernel) :]
    found = legal(graph, error.made.inputs[0][0])
    changes = [
        *_inputs(graph, found),
        *(f"{change} in {place}: lets this layer pass" for change in _eased(operation, given)),
    ]
    return Finding(
        weight="error",
        what="collapse",
        place=place,
        says=f"{describe(operation)} is given {shown(space)}, nothing would be left: {error.why}",
        changes=tuple(changes),
    )


def _dense(graph: Graph, error: DoesNotFit, given: Shape, operation: Dense) -> Finding:
    """A dense layer built for another input size."""
    node = graph.nodes[error.index]
    place = named(node.path, describe(operation))
    map_before = _map_before(graph, error)
    made = f" from maps of {shown(map_before[1:])}" if map_before else ""
    built = ""
    if map_before and operation.c_in % map_before[1] == 0:
        side = round((operation.c_in // map_before[1]) ** 0.5)
        if side * side * map_before[1] == operation.c_in:
            built = f" = {map_before[1]}·{side}·{side}"
    found = legal(graph, error.made.inputs[0][0])
    return Finding(
        weight="error",
        what="dense",
        place=place,
        says=f"takes {operation.c_in:,} values{built}, but gets {given[-1]:,}{made}",
        changes=(
            *_inputs(graph, found),
            f"in_features={given[-1]} in {place}: for this input",
            "a global or adaptive pool before it: for any input",
        ),
    )


def _map_before(graph: Graph, error: DoesNotFit) -> Shape | None:
    """The last map that still had height and width on the way to a dense layer."""
    index = error.index
    while graph.nodes[index].inputs:
        index = graph.nodes[index].inputs[0]
        shape = error.made.measures[index].shape
        if len(shape) == 4 and elements(shape[2:]) > 0:
            return shape
    return None


def _inputs(graph: Graph, found: Legal) -> Iterator[str]:
    """Which inputs would pass."""
    channels = graph.inputs[0][1]
    if found.smallest is not None:
        if found.largest is None:
            yield f"an input of {channels}×{found.smallest}×{found.smallest} or more"
        elif found.largest == found.smallest:
            yield f"an input of {channels}×{found.smallest}×{found.smallest}, which alone fits"
        else:
            yield (
                f"an input of {channels}×{found.smallest}×{found.smallest} to "
                f"{channels}×{found.largest}×{found.largest}"
            )
    if found.mapped is not None and found.mapped != found.smallest:
        yield (
            f"an input of {channels}×{found.mapped}×{found.mapped} or more keeps every map from "
            "vanishing, with dense layers to match"
        )


def _eased(operation: Conv | Pool, given: Shape) -> Iterator[str]:
    """Small changes of the layer after which it passes, each tried."""
    tries: list[tuple[str, Operation]] = []
    most = min(k // 2 for k in operation.kernel)
    if isinstance(operation, Pool):
        tries.append(("rounding up (ceil_mode=True)", replace(operation, ceil=True)))
    for pad in range(1, most + 1):
        if any(pad > before for before, _ in operation.padding):
            padded = replace(operation, padding=((pad, pad),) * len(operation.kernel))
            tries.append((f"padding={pad}", padded))
    for kernel in range(max(operation.kernel) - 1, 0, -1):
        smaller = replace(operation, kernel=(kernel,) * len(operation.kernel))
        tries.append((f"kernel_size={kernel}", smaller))
    seen: set[str] = set()
    for text, changed in tries:
        kind = text.split("=")[0]
        if kind in seen:
            continue
        try:
            changed.measure((given,))
        except (ShapeError, UserError):
            continue
        seen.add(kind)
        yield text
