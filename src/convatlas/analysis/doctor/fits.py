"""Whether the input passes at all; where it ends, and what would let it pass."""

from collections.abc import Iterator
from dataclasses import replace

from convatlas.analysis.describe import describe
from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.legal import Legal
from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm
from convatlas.graph.operation import Operation, Shape, ShapeError, elements, shown
from convatlas.graph.pool import Pool
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit, propagate


def refused(graph: Graph, error: DoesNotFit, sides: Legal) -> Finding:
    """The one thing that stops an input, told apart by what stops it."""
    node = graph.nodes[error.index]
    given = tuple(error.made.measures[i].shape for i in node.inputs)
    operation = node.operation
    if isinstance(operation, Conv) and given[0][-len(operation.kernel) - 1] != operation.c_in:
        changes = (f"an input of {operation.c_in} channels",) if _is_first(graph, error) else ()
        return _finding(graph, error, "channels", error.why, changes)
    if isinstance(operation, Conv | Pool):
        return _collapsed(graph, error, given[0], sides)
    if isinstance(operation, Dense):
        return _dense(graph, error, given[0], sides)
    if isinstance(operation, BatchNorm) and elements(given[0][:1] + given[0][2:]) == 1:
        changes = ("a batch of 2 or more (drop the last one if it is smaller)",)
        return _finding(graph, error, "batch of one", error.why, changes)
    return _finding(graph, error, "shape", error.why, tuple(_inputs(graph, sides)))


def _is_first(graph: Graph, error: DoesNotFit) -> bool:
    return graph.nodes[error.index].inputs[0] == graph.picture


def _finding(
    graph: Graph, error: DoesNotFit, what: str, says: str, changes: tuple[str, ...]
) -> Finding:
    place = place_of(graph, error.index)
    return Finding(weight="error", what=what, place=place, says=says, changes=changes)


def place_of(graph: Graph, index: int) -> str:
    """A layer by its path, or by what it is where it has none."""
    node = graph.nodes[index]
    return node.path or describe(node.operation)


def _collapsed(graph: Graph, error: DoesNotFit, given: Shape, sides: Legal) -> Finding:
    """A window that is larger than what is left."""
    operation = graph.nodes[error.index].operation
    assert isinstance(operation, Conv | Pool)
    place = place_of(graph, error.index)
    space = given[-len(operation.kernel) :]
    changes = [
        *_inputs(graph, sides),
        *(
            f"{text} in {place}: {_afterwards(graph, error, eased)}"
            for text, eased in _eased(operation, given)
        ),
    ]
    says = f"{describe(operation)} is given {shown(space)}, nothing would be left: {error.why}"
    return _finding(graph, error, "collapse", says, tuple(changes))


def _afterwards(graph: Graph, error: DoesNotFit, eased: Operation) -> str:
    """How far an input comes after a change."""
    nodes = list(graph.nodes)
    nodes[error.index] = replace(nodes[error.index], operation=eased)
    changed = replace(graph, nodes=tuple(nodes))
    try:
        propagate(changed, error.made.inputs)
    except DoesNotFit as later:
        layer = changed.nodes[later.index]
        place = place_of(changed, later.index)
        if isinstance(layer.operation, Dense):
            given = later.made.measures[layer.inputs[0]].shape[-1]
            return (
                f"then only {place} is in the way, which takes {layer.operation.c_in:,} values "
                f"and gets {given:,}"
            )
        return f"lets this layer pass, {place} is the next to stop it"
    except UserError:
        return "lets this layer pass"
    return "then all layers pass"


def _dense(graph: Graph, error: DoesNotFit, given: Shape, sides: Legal) -> Finding:
    """A dense layer built for another input size."""
    operation = graph.nodes[error.index].operation
    assert isinstance(operation, Dense)
    place = place_of(graph, error.index)
    maps = _map_before(graph, error)
    built = made = ""
    if maps:
        made = f" from maps of {shown(maps[1:])}"
        side = round((operation.c_in / maps[1]) ** 0.5)
        if side * side * maps[1] == operation.c_in:
            built = f" = {maps[1]}·{side}·{side}"
    changes = (
        *_inputs(graph, sides),
        f"in_features={given[-1]} in {place}: for this input",
        *(("an adaptive pool before the flattening: for any input",) if maps else ()),
    )
    says = f"takes {operation.c_in:,} values{built}, but gets {given[-1]:,}{made}"
    return _finding(graph, error, "dense", says, changes)


def _map_before(graph: Graph, error: DoesNotFit) -> Shape | None:
    """The last map that still had height and width on the way to a dense layer."""
    index = error.index
    while graph.nodes[index].inputs:
        index = graph.nodes[index].inputs[0]
        shape = error.made.measures[index].shape
        if len(shape) == 4 and elements(shape[2:]) > 0:
            return shape
    return None


def _inputs(graph: Graph, sides: Legal) -> Iterator[str]:
    """Which inputs would pass."""
    if sides.smallest is not None:
        more = sides.smallest + sides.step
        if sides.largest == sides.smallest:
            yield f"an input of {_sized(graph, sides.smallest)}"
        elif sides.step > 1:
            yield f"an input of {_sized(graph, sides.smallest)}, {_sized(graph, more)} and so on"
        elif sides.largest is None:
            yield f"an input of {_sized(graph, sides.smallest)} or more"
        else:
            yield (f"an input of {_sized(graph, sides.smallest)} to {_sized(graph, sides.largest)}")
    if sides.mapped is not None and sides.mapped != sides.smallest:
        yield (
            f"an input of {_sized(graph, sides.mapped)} or more keeps every map from vanishing, "
            "with dense layers to match"
        )


def _sized(graph: Graph, side: int) -> str:
    """A picture of a side, with the network's channels and as many axes as it has."""
    own = next(shape for shape in graph.inputs if len(shape) > 2)
    return shown((own[1], *(side,) * (len(own) - 2)))


def _eased(operation: Conv | Pool, given: Shape) -> Iterator[tuple[str, Operation]]:
    """Small changes of the layer after which it passes, each tried; of each kind the smallest."""
    tries: list[tuple[str, str, Operation]] = []
    if isinstance(operation, Pool):
        eased = replace(operation, ceil=True)
        tries.append(("ceil", "rounding up (ceil_mode=True)", eased))
    axes = len(operation.kernel)
    # torch's pools take half their kernel as padding at the most
    most = min(operation.kernel) // 2 if isinstance(operation, Pool) else max(operation.kernel)
    for pad in range(1, most + 1):
        if all(pad >= max(pair) for pair in operation.padding):
            padded = replace(operation, padding=((pad, pad),) * axes)
            tries.append(("padding", f"padding={pad}", padded))
    for kernel in range(max(operation.kernel) - 1, 0, -1):
        smaller = replace(operation, kernel=(kernel,) * axes)
        if isinstance(operation, Conv) or 2 * max(map(max, operation.padding)) <= kernel:
            tries.append(("kernel", f"kernel_size={kernel}", smaller))
    seen: set[str] = set()
    for kind, text, changed in tries:
        if kind in seen:
            continue
        try:
            changed.measure((given,))
        except ShapeError:
            continue
        seen.add(kind)
        yield text, changed
