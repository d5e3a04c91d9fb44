"""Whether the input passes at all; where it ends, and what would let it pass."""

from collections.abc import Iterator
from dataclasses import replace

from convatlas.analysis.describe import describe
from convatlas.analysis.doctor import misfits
from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.doctor.misfits import mixed
from convatlas.analysis.doctor.origins import place_of
from convatlas.analysis.legal import Legal
from convatlas.errors import UserError
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm
from convatlas.graph.operation import Operation, Shape, ShapeError, elements, shown
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.pool import Pool
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit, propagate
from convatlas.graph.rearrange import Concat, View


def refused(graph: Graph, error: DoesNotFit, sides: Legal) -> Finding:
    """The one thing that stops an input, told apart by what stops it.

    A graph without outputs is one whose code was stopped here: what follows is not known.
    """
    node = graph.nodes[error.index]
    given = tuple(error.made.measures[i].shape for i in node.inputs)
    operation = node.operation
    channels = mixed(operation, given[0])
    if channels is not None:
        return _finding(graph, error, *misfits.channels(graph, error, *channels))
    if isinstance(operation, Conv | ConvTransposed) and not _has_axes(operation, given[0]):
        kind = type(operation).__name__.replace("Transposed", "Transpose")
        fitting = len(given[0]) - 2
        other = (f"nn.{kind}{fitting}d there",) if fitting in (1, 2, 3) else ()
        return _finding(graph, error, "shape", error.why, other)
    if isinstance(operation, Conv | Pool):
        return _collapsed(graph, error, given[0], sides)
    if isinstance(operation, Dense):
        return _dense(graph, error, given[0], sides)
    if isinstance(operation, BatchNorm) and elements(given[0][:1] + given[0][2:]) == 1:
        two = ("a batch of 2 or more (drop the last one if it is smaller)",)
        return _finding(graph, error, "batch of one", error.why, two)
    inputs = tuple(_inputs(graph, sides))
    if isinstance(operation, Concat | Arithmetic):
        says, changes = misfits.joined(graph, error)
        if isinstance(operation, Arithmetic):
            inputs = tuple(misfits.nearest(graph, error))
        return _finding(graph, error, "shape", says, (*inputs, *changes))
    if isinstance(operation, View):
        return _finding(graph, error, "shape", error.why, (*inputs, *_flattened(operation, given)))
    return _finding(graph, error, "shape", error.why, inputs)


def _has_axes(operation: Conv | ConvTransposed, given: Shape) -> bool:
    """Whether maps have as many axes as the kernel; the batch may be missing."""
    return len(operation.kernel) < len(given) <= len(operation.kernel) + 2


def _flattened(operation: View, given: tuple[Shape, ...]) -> Iterator[str]:
    """A view of each picture as one row is better left to count for itself."""
    if len(operation.sizes) == 2 and len(given[0]) > 2:
        row = elements(given[0][1:])
        yield f"flatten(1) instead, which gives {row:,} values, with dense layers to match"


def _finding(
    graph: Graph, error: DoesNotFit, what: str, says: str, changes: tuple[str, ...]
) -> Finding:
    place = place_of(graph, error.index)
    return Finding(weight="error", what=what, place=place, says=says, changes=changes)


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
    return "then all layers pass" if graph.outputs else "lets this layer pass"


def _dense(graph: Graph, error: DoesNotFit, given: Shape, sides: Legal) -> Finding:
    """A dense layer built for another input size."""
    operation = graph.nodes[error.index].operation
    assert isinstance(operation, Dense)
    place = place_of(graph, error.index)
    maps = _map_before(graph, error)
    built = made = ""
    pooled: tuple[str, ...] = ()
    if maps:
        if operation.c_in % maps[1] == 0:
            pooled = ("an adaptive pool before the flattening: for any input",)
        made = f" from maps of {shown(maps[1:])}"
        side = round((operation.c_in / maps[1]) ** 0.5)
        if side * side * maps[1] == operation.c_in:
            built = f" = {maps[1]}·{side}·{side}"
    if len(given) == 4:  # maps, of which it would take one row after the other
        row = elements(given[1:])
        says = f"takes {operation.c_in:,} values{built}, but gets maps of {shown(given[1:])}"
        then = "" if row == operation.c_in else f", and in_features={row}"
        return _finding(graph, error, "dense", says, (f"a flatten(1) before {place}{then}",))
    if not maps:
        return _finding(graph, error, *misfits.channels(graph, error, -1, operation.c_in))
    changes = (
        *_inputs(graph, sides),
        f"in_features={given[-1]} in {place}: for this input",
        *pooled,
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
