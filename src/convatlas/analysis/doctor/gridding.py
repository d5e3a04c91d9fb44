"""Gridding: positions that see their field with holes, as equal dilations one after another do."""

from collections.abc import Iterator

from convatlas.analysis.doctor.case import Case
from convatlas.analysis.doctor.finding import Finding
from convatlas.arithmetic.stack import parse_stack, stack_text
from convatlas.arithmetic.suggestion import suggest
from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.field_axes import Field, Number
from convatlas.graph.graph import Graph
from convatlas.graph.pixels import Pixels
from convatlas.graph.pool import Pool, SubSampling
from convatlas.graph.reads import coverage

RUN = 4  # layers whose dilations are looked for together


def gridding(case: Case) -> Iterator[Finding]:
    """The first layer that sees with holes: a warning if the last one still does, else a note."""
    if not case.has_plane:
        return
    sliding = [index for index, field in enumerate(case.seen) if _slides(case, index, field)]
    solid = _solid(case)
    first = next((index for index in sliding if _may_skip(case, index, solid)), None)
    if first is None:
        return
    after = [index for index in sliding if index >= first]
    with_holes = next((index for index in after if _holes(_read(case, index))), None)
    if with_holes is None:
        return
    closed = not _holes(_read(case, after[-1]))
    place = case.name(with_holes)
    seen = coverage(case.graph, case.made, with_holes)
    height, width = seen.size
    yield Finding(
        weight="note" if closed else "warning",
        what="gridding",
        place=place,
        says=f"a position of {place} sees {seen.read:,} of the {height * width:,} pixels of "
        f"its field, {height}×{width}; the others are holes"
        + (", which later layers close" if closed else f" ({seen.share:.0%} read)"),
        changes=() if closed else (_dilations(case.graph, with_holes),),
    )


def _slides(case: Case, index: int, field: Field | None) -> bool:
    operation = case.graph.nodes[index].operation
    if not isinstance(operation, Conv | Pool | SubSampling):
        return False
    return field is not None and field.local and len(field.axes) == 2


def _solid(case: Case) -> list[tuple[Number, ...]]:
    """How many pixels each node surely sees in one piece, along each axis of the picture.

    Where ways join it is the piece of the one that sees all the others see, if there is one.
    """
    solid: list[tuple[Number, ...]] = []
    for index, node in enumerate(case.graph.nodes):
        field = case.seen[index]
        read = [i for i in node.inputs[: node.data] if case.seen[i] is not None]
        if field is None or not read:
            solid.append(field.size if field else ())
            continue
        widest = next((i for i in read if _sees_all(case, i, read)), None)
        joined = solid[widest] if widest is not None else tuple(map(min, *(solid[i] for i in read)))
        before = case.seen[read[0] if widest is None else widest]
        assert before is not None
        grown = (new - old for new, old in zip(field.size, before.size, strict=True))
        solid.append(tuple(one + max(more, 0) for one, more in zip(joined, grown, strict=True)))
    return solid


def _sees_all(case: Case, one: int, others: list[int]) -> bool:
    """Whether the field of a node holds those of all the others."""
    own = case.seen[one]
    fields = [case.seen[i] for i in others]
    return own is not None and all(
        mine.low <= axis.low and axis.high <= mine.high
        for field in fields
        if field is not None
        for mine, axis in zip(own.axes, field.axes, strict=True)
    )


def _may_skip(case: Case, index: int, solid: list[tuple[Number, ...]]) -> bool:
    """Whether the taps of a layer lie farther apart than what each of them sees in one piece.

    Until that happens no position can see with holes, so nothing has to be walked back.
    """
    node = case.graph.nodes[index]
    before = case.seen[node.inputs[0]]
    operation = node.operation
    assert before is not None
    assert isinstance(operation, Conv | Pool | SubSampling)
    return any(
        window.kernel > 1 and window.dilation * axis.jump > piece
        for window, axis, piece in zip(
            operation.windows, before.axes, solid[node.inputs[0]], strict=False
        )
    )


def _read(case: Case, index: int) -> Pixels:
    return coverage(case.graph, case.made, index).pixels


def _holes(pixels: Pixels) -> bool:
    """Whether some row or column is read on both sides of a pixel that is not."""
    rows = sorted(pixels.rows)
    if rows and rows != list(range(rows[0], rows[-1] + 1)):
        return True
    return any(_gap(line.bits) for line in set(pixels.rows.values()))


def _gap(bits: int) -> bool:
    bits >>= (bits & -bits).bit_length() - 1 if bits else 0
    return bits & (bits + 1) != 0


def _dilations(graph: Graph, index: int) -> str:
    """Dilations of the same run of layers that see without holes, if there are any."""
    run = [conv for conv in _run(graph, index) if max(conv.kernel) > 1]
    text = " ".join(f"{c.kernel[0]}x{c.kernel[1]}d{c.dilation[0]}" for c in run)
    try:
        better = suggest(parse_stack(text)) if run else None
    except UserError:
        better = None
    if better is None:
        return "smaller dilations that share no factor, such as 1, 2, 3"
    return f'dilations as in "{stack_text(better)}" for the {len(run)} layers that end there'


def _run(graph: Graph, index: int) -> list[Conv]:
    """The convolutions without stride that end at a node, a few at the most."""
    run: list[Conv] = []
    at = index
    while len(run) < RUN:
        operation = graph.nodes[at].operation
        if isinstance(operation, Conv):
            if max(operation.stride) > 1:
                break
            run.insert(0, operation)
        elif isinstance(operation, Pool | SubSampling):
            break
        if not graph.nodes[at].inputs:
            break
        at = graph.nodes[at].inputs[0]
    return run
