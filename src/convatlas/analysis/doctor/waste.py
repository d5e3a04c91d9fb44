"""What is computed and never read, or read and never there."""

from collections.abc import Iterator, Sequence

from convatlas.analysis.describe import describe
from convatlas.analysis.doctor.finding import Finding, named
from convatlas.graph.conv import Conv
from convatlas.graph.field import fields
from convatlas.graph.graph import Graph
from convatlas.graph.pixels import Line, Pixels, through
from convatlas.graph.pool import Pool, SubSampling
from convatlas.graph.propagate import Propagation
from convatlas.graph.reads import reads
from convatlas.graph.source import Constant, Input
from convatlas.graph.window import Window

SOURCES = (Input, Constant)


def unread_pixels(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """Pixels of the picture that no output depends on."""
    shape = made.inputs[0]
    if len(shape) != 4 or fields(graph, made)[graph.picture] is None:
        return
    height, width = shape[2:]
    read = Pixels({})
    for _, node in graph.outputs:
        read = read.joined(reads(graph, made, node, "all"))
    unread = height * width - read.number
    if not unread:
        return
    rows = [row for row in range(height) if row not in read.rows]
    empty = (1 << width) - 1
    for line in read.rows.values():
        empty &= ~line.within(width).bits
    columns = list(Line(empty))
    where = [
        *([f"rows {_ranges(rows)}"] if rows else []),
        *([f"columns {_ranges(columns)}"] if columns else []),
    ]
    yield Finding(
        weight="warning",
        what="unread pixels",
        place="",
        says=f"{unread:,} of {height * width:,} pixels are never read"
        + (f": {' and '.join(where)}" if where else ""),
        changes=tuple(_without_loss(height, rows, columns)),
    )


def _without_loss(height: int, rows: Sequence[int], columns: Sequence[int]) -> Iterator[str]:
    """A picture that ends where reading ends costs nothing."""
    tail = 0
    while height - 1 - tail in rows and height - 1 - tail in columns:
        tail += 1
    if tail:
        yield f"an input {tail} smaller gives the same result: {height - tail}×{height - tail}"
        yield f"padding so that the last {tail} are read"


def unread_maps(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """Maps of which all readers together skip positions, as 1×1 with stride 2 does."""
    readers: dict[int, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for read in node.inputs[: node.data]:
            readers.setdefault(read, []).append(index)
    skipped: dict[str, list[str]] = {}
    for index, node in enumerate(graph.nodes):
        by = readers.get(index, [])
        each = [_windows(graph, reader) for reader in by]
        shape = made.measures[index].shape
        if not each or None in each or len(shape) != 4 or isinstance(node.operation, Input):
            continue
        share = _share_read([w for w in each if w], by, made, (shape[2], shape[3]))
        if share < 1:
            readers_named = " and ".join(
                named(graph.nodes[r].path, describe(graph.nodes[r].operation)) for r in by
            )
            place = named(node.path, describe(node.operation))
            skipped.setdefault(f"{1 - share:.0%}", []).append(f"{place} (read by {readers_named})")
    for share_text, places in skipped.items():
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        yield Finding(
            weight="note" if share_text in ("0%", "1%", "2%", "3%") else "warning",
            what="unread positions",
            place=places[0].split(" (")[0],
            says=f"{share_text} of what is computed there is never read: "
            f"{', '.join(places[:3])}{more}",
            changes=("a stride on a layer whose kernel is as large as the stride, or a pool",)
            if share_text not in ("0%", "1%", "2%", "3%")
            else (),
        )


def _windows(graph: Graph, node: int) -> tuple[Window, Window] | None:
    """The windows of a reader in two dimensions, or ``None`` if it reads all positions."""
    operation = graph.nodes[node].operation
    if isinstance(operation, Conv | Pool | SubSampling) and len(operation.kernel) == 2:
        vertical, horizontal = operation.windows
        return vertical, horizontal
    return None


def _share_read(
    each: Sequence[tuple[Window, Window]],
    readers: Sequence[int],
    made: Propagation,
    size: tuple[int, int],
) -> float:
    read = Pixels({})
    for (vertical, horizontal), reader in zip(each, readers, strict=True):
        height, width = made.measures[reader].shape[2:]
        rows = through(vertical)(Line.span(height)).within(size[0])
        columns = through(horizontal)(Line.span(width)).within(size[1])
        read = read.joined(Pixels.block(rows, columns))
    return read.number / (size[0] * size[1])


def only_padding(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """Kernels of which most weights meet nothing but padding, because the map is that small."""
    found: list[str] = []
    for index, node in enumerate(graph.nodes):
        operation = node.operation
        if not isinstance(operation, Conv) or len(operation.kernel) != 2:
            continue
        space = made.measures[node.inputs[0]].shape[-2:]
        outs = made.measures[index].shape[-2:]
        rows, columns = map(_taps_used, operation.windows, space, outs)
        used = rows * columns
        whole = operation.kernel[0] * operation.kernel[1]
        if used < whole:
            found.append(f"{named(node.path, describe(operation))} ({whole - used} of {whole})")
    if found:
        more = f" and {len(found) - 4} more" if len(found) > 4 else ""
        yield Finding(
            weight="warning",
            what="only padding",
            place=found[0].split(" (")[0],
            says=f"weights that only ever meet padding, on maps this small: "
            f"{', '.join(found[:4])}{more}",
            changes=("a larger input, or fewer strides before",),
        )


def _taps_used(window: Window, size: int, out: int) -> int:
    """How many positions of a kernel along one axis ever meet the map itself."""
    starts = [place * window.stride - window.before for place in range(out)]
    return sum(
        any(0 <= start + tap * window.dilation < size for start in starts)
        for tap in range(window.kernel)
    )


def unused(graph: Graph) -> Iterator[Finding]:
    """Parameters that nothing reads, and results that nobody takes."""
    if graph.unused:
        names = [parameter.names[0] for parameter in graph.unused]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        yield Finding(
            weight="note",
            what="unused parameters",
            place="",
            says=f"{sum(p.size for p in graph.unused):,} parameters are read by nothing: "
            f"{', '.join(names[:4])}{more}",
        )
    taken = {i for node in graph.nodes for i in node.inputs} | {i for _, i in graph.outputs}
    dead = [
        named(node.path, describe(node.operation))
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
            says=f"computed and taken by nothing: {', '.join(dict.fromkeys(dead))}",
        )


def _ranges(numbers: Sequence[int]) -> str:
    """3-7, 9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(
        f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts[:6]
    ) + (" …" if len(parts) > 6 else "")
