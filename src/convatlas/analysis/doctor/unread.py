"""What nobody reads: pixels of the picture, positions of maps."""

from collections.abc import Iterator, Sequence

from convatlas.analysis.doctor.case import Case, listed
from convatlas.analysis.doctor.finding import Finding
from convatlas.graph.conv import Conv
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.pixels import Line, Pixels, through
from convatlas.graph.pool import Pool, SubSampling
from convatlas.graph.reads import reads
from convatlas.graph.rearrange import Select, Slice
from convatlas.graph.source import Input, Unknown
from convatlas.graph.window import Window

FEW = 0.035  # a share that a border loses; not worth a warning
SKIPPING = (Slice, Select, Unknown)


def unread_pixels(case: Case) -> Iterator[Finding]:
    """Pixels of the picture that no output depends on."""
    if not case.has_plane or all_read(case):
        return
    height, width = case.picture[2:]
    read = Pixels({})
    for _, node in case.graph.outputs:
        if case.seen[node] is not None:
            read = read.joined(reads(case.graph, case.made, node, "all"))
    unread = height * width - read.number
    if not unread:
        return
    rows = [row for row in range(height) if row not in read.rows]
    empty = (1 << width) - 1
    for line in read.rows.values():
        empty &= ~line.within(width).bits
    columns = list(Line(empty))
    where = [
        *([f"rows {ranges(rows)}"] if rows else []),
        *([f"columns {ranges(columns)}"] if columns else []),
    ]
    yield Finding(
        weight="note" if unread < FEW * height * width else "warning",
        what="unread pixels",
        place="",
        says=f"{unread:,} of {height * width:,} pixels are never read"
        + (f": {' and '.join(where)}" if where else ""),
        changes=tuple(_without_loss((height, width), rows, columns)),
    )


def _without_loss(size: Shape, rows: Sequence[int], columns: Sequence[int]) -> Iterator[str]:
    """A picture that ends where reading ends costs nothing."""
    cut = tuple(_tail(side, each) for side, each in zip(size, (rows, columns), strict=True))
    if any(cut):
        height, width = (side - tail for side, tail in zip(size, cut, strict=True))
        yield f"an input of {height}×{width} gives the same result"


def _tail(side: int, unread: Sequence[int]) -> int:
    """How many of the last rows or columns are unread."""
    tail = 0
    while tail < len(unread) and unread[-1 - tail] == side - 1 - tail:
        tail += 1
    return tail


def all_read(case: Case) -> bool:
    """Whether for sure every position of every map that matters is read, pixels included."""
    readers = _readers(case.graph)
    needed = {index for _, index in case.graph.outputs}
    for index in range(len(case.graph.nodes) - 1, -1, -1):
        if index in needed:
            node = case.graph.nodes[index]
            needed.update(node.inputs[: node.data])
    outputs = {index for _, index in case.graph.outputs}
    return all(
        index in outputs
        or any(_reads_all(case, reader, index) for reader in readers.get(index, ()))
        for index in needed
        if case.seen[index] is not None
    )


def _reads_all(case: Case, reader: int, index: int) -> bool:
    """Whether one reader surely reads every position of a map."""
    operation = case.graph.nodes[reader].operation
    if isinstance(operation, SKIPPING):
        return False
    windows = windows_of(case.graph, reader)
    if windows is None:
        return True
    return all(
        _line(window, size, out).bits == (1 << size) - 1
        for window, size, out in zip(
            windows, case.shape(index)[-2:], case.shape(reader)[-2:], strict=True
        )
    )


def unread_maps(case: Case) -> Iterator[Finding]:
    """Maps of which all readers together skip positions, as 1×1 with stride 2 does."""
    skipped: dict[str, list[int]] = {}
    shares: dict[str, float] = {}
    readers = _readers(case.graph)
    for index, by in readers.items():
        each = [windows_of(case.graph, reader) for reader in by]
        is_input = isinstance(case.graph.nodes[index].operation, Input)
        if is_input or None in each or len(case.shape(index)) != 4:
            continue
        share = 1 - _share_read(case, index, by)
        if share > 0:
            skipped.setdefault(f"{share:.0%}", []).append(index)
            shares[f"{share:.0%}"] = share
    for text, places in skipped.items():
        few = shares[text] < FEW
        names = [
            f"{case.name(i)} (read by {' and '.join(case.name(r) for r in readers[i])})"
            for i in places
        ]
        yield Finding(
            weight="note" if few else "warning",
            what="unread positions",
            place=case.name(places[0]),
            says=f"{text} of what is computed there is never read: {listed(names)}",
            changes=() if few else (_so_that_all_read(case, readers[places[0]]),),
        )


def _so_that_all_read(case: Case, readers: Sequence[int]) -> str:
    """What mends it: a stride where nothing is skipped, or the rest behind the last window."""
    for reader in readers:
        windows = windows_of(case.graph, reader)
        assert windows is not None
        if all(window.stride <= window.kernel and window.dilation == 1 for window in windows):
            if isinstance(case.graph.nodes[reader].operation, Pool):
                return f"rounding up (ceil_mode=True) in {case.name(reader)}"
            return f"more padding in {case.name(reader)}"
    return "the stride on a layer whose kernel is at least as large, or on a pool"


def _readers(graph: Graph) -> dict[int, list[int]]:
    readers: dict[int, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for read in node.inputs[: node.data]:
            readers.setdefault(read, []).append(index)
    return readers


def windows_of(graph: Graph, node: int) -> tuple[Window, Window] | None:
    """The windows of a reader in two dimensions, or ``None`` if it reads all positions."""
    operation = graph.nodes[node].operation
    if isinstance(operation, Conv | Pool | SubSampling) and len(operation.kernel) == 2:
        vertical, horizontal = operation.windows
        return vertical, horizontal
    return None


def _share_read(case: Case, index: int, readers: Sequence[int]) -> float:
    size = case.shape(index)[2:]
    read = Pixels({})
    for reader in readers:
        windows = windows_of(case.graph, reader)
        assert windows is not None
        outs = case.shape(reader)[-2:]
        read = read.joined(Pixels.block(*map(_line, windows, size, outs)))
    return read.number / (size[0] * size[1])


def _line(window: Window, size: int, out: int) -> Line:
    """Which positions along an axis are read."""
    return through(window)(Line.span(out)).within(size)


def ranges(numbers: Sequence[int]) -> str:
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
