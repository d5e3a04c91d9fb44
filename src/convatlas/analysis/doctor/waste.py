"""What is there for nothing: weights that only meet padding, parameters and results unused."""

from collections.abc import Iterator

from convatlas.analysis.doctor.case import Case, listed
from convatlas.analysis.doctor.finding import Finding
from convatlas.graph.conv import Conv
from convatlas.graph.operation import elements
from convatlas.graph.source import Constant, Input
from convatlas.graph.window import Window


def only_padding(case: Case) -> Iterator[Finding]:
    """Kernels of which some weights meet nothing but padding, because the map is that small."""
    found: dict[str, str] = {}
    for index, node in enumerate(case.graph.nodes):
        operation = node.operation
        if not isinstance(operation, Conv) or operation.padding_mode != "zeros":
            continue
        axes = len(operation.kernel)
        space, outs = case.shape(node.inputs[0])[-axes:], case.shape(index)[-axes:]
        used = elements(map(_taps_used, operation.windows, space, outs))
        whole = elements(operation.kernel)
        if used < whole:
            found[case.name(index)] = f"{case.name(index)} ({whole - used} of {whole})"
    if found:
        yield Finding(
            weight="warning",
            what="only padding",
            place=next(iter(found)),
            says="weights that only ever meet padding, on maps this small: "
            f"{listed(list(found.values()))}",
            changes=("a larger input, or fewer strides before",),
        )


def _taps_used(window: Window, size: int, out: int) -> int:
    """How many positions of a kernel along one axis ever meet the map itself."""
    starts = [place * window.stride - window.before for place in range(out)]
    return sum(
        any(0 <= start + tap * window.dilation < size for start in starts)
        for tap in range(window.kernel)
    )


def unused(case: Case) -> Iterator[Finding]:
    """Parameters that nothing reads, and results that nobody takes."""
    graph = case.graph
    if graph.unused:
        names = [parameter.names[0] for parameter in graph.unused]
        yield Finding(
            weight="note",
            what="unused parameters",
            place="",
            says=f"{sum(p.size for p in graph.unused):,} parameters are read by nothing: "
            f"{listed(names)}",
        )
    taken = {i for node in graph.nodes for i in node.inputs} | {i for _, i in graph.outputs}
    dead = [
        case.name(index)
        for index, node in enumerate(graph.nodes)
        if index not in taken
        and not node.alias
        and not isinstance(node.operation, Input | Constant)
    ]
    if dead:
        yield Finding(
            weight="note",
            what="unused results",
            place=dead[0],
            says=f"computed and taken by nothing: {listed(list(dict.fromkeys(dead)))}",
        )
