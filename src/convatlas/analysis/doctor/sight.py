"""What layers see: maps of one pixel, fields larger than the picture, holes."""

from collections.abc import Iterator

from convatlas.analysis.describe import describe
from convatlas.analysis.doctor.finding import Finding, named
from convatlas.graph.conv import Conv
from convatlas.graph.field import fields
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm
from convatlas.graph.operation import elements
from convatlas.graph.pixels import Pixels
from convatlas.graph.pool import Pool, SubSampling
from convatlas.graph.propagate import Propagation
from convatlas.graph.reads import coverage


def single_pixels(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """Layers with a kernel that work on maps of one pixel."""
    found = []
    for node in graph.nodes:
        operation = node.operation
        if isinstance(operation, Conv | Pool) and elements(operation.kernel) > 1:
            shape = made.measures[node.inputs[0]].shape
            if elements(shape[-len(operation.kernel) :]) == 1:
                found.append(named(node.path, describe(operation)))
    if found:
        yield Finding(
            weight="warning",
            what="single pixel",
            place=found[0],
            says=f"from {found[0]} on there is a single pixel left, and {len(found)} layers with "
            "a kernel work on it",
            changes=("a larger input, or fewer strides before",),
        )


def larger_than_input(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """From where on the receptive field is larger than the picture."""
    shape = made.inputs[0]
    if len(shape) != 4:
        return
    for index, field in enumerate(fields(graph, made)):
        if field is None or not field.local:
            continue
        if any(size > side for size, side in zip(field.size, shape[2:], strict=True)):
            node = graph.nodes[index]
            place = named(node.path, describe(node.operation))
            yield Finding(
                weight="note",
                what="field larger than input",
                place=place,
                says=f"from {place} on a position sees more than the picture: "
                f"{field.size[0]}×{field.size[1]} of {shape[2]}×{shape[3]}, the rest is padding",
            )
            return


def single_values(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """Batch normalisation that has one value for each map when the batch is 1: training fails."""
    found = []
    for node in graph.nodes:
        if isinstance(node.operation, BatchNorm):
            shape = made.measures[node.inputs[0]].shape
            if elements(shape[2:]) == 1:
                found.append(named(node.path, describe(node.operation)))
    if found:
        batch = made.inputs[0][0]
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        yield Finding(
            weight="error" if batch == 1 and graph.training else "warning",
            what="batch of one",
            place=found[0],
            says=f"batch normalisation over a single pixel: training with a batch of 1 fails in "
            f"{', '.join(found[:3])}{more}",
            changes=("batches of 2 or more (drop the last one if it is smaller)", "a larger input"),
        )


def gridding(graph: Graph, made: Propagation) -> Iterator[Finding]:
    """The first layer whose positions see their field with holes."""
    seen = fields(graph, made)
    sliding = [
        index
        for index, node in enumerate(graph.nodes)
        if isinstance(node.operation, Conv | Pool | SubSampling)
        and (field := seen[index]) is not None
        and field.local
        and len(field.axes) == 2
    ]
    if not sliding or not _holes(coverage(graph, made, sliding[-1]).pixels):
        candidates = [
            index
            for index in sliding
            if max(getattr(graph.nodes[index].operation, "dilation", (1,))) > 1
        ]
    else:
        candidates = sliding
    for index in candidates:
        found = coverage(graph, made, index)
        if not _holes(found.pixels):
            continue
        node = graph.nodes[index]
        place = named(node.path, describe(node.operation))
        height, width = found.size
        yield Finding(
            weight="warning",
            what="gridding",
            place=place,
            says=f"a position of {place} sees {found.read:,} of the {height * width:,} pixels of "
            f"its field, {height}×{width}: the others are holes ({found.share:.0%} read)",
            changes=_dilations(graph, index),
        )
        return


def _holes(pixels: Pixels) -> bool:
    """Whether some row or column is read on both sides of a pixel that is not."""
    lines = list(pixels.rows.values())
    if any(_gap(line.bits) for line in dict.fromkeys(lines)):
        return True
    rows = sorted(pixels.rows)
    return rows != list(range(rows[0], rows[-1] + 1)) if rows else False


def _gap(bits: int) -> bool:
    bits >>= (bits & -bits).bit_length() - 1 if bits else 0
    return bits & (bits + 1) != 0


def _dilations(graph: Graph, index: int) -> tuple[str, ...]:
    """Dilations of the same run of layers that see without holes, if there are any."""
    from convatlas.arithmetic.stack import parse_stack, stack_text
    from convatlas.arithmetic.suggestion import suggest
    from convatlas.errors import UserError

    run: list[Conv] = []
    at = index
    while True:
        operation = graph.nodes[at].operation
        if isinstance(operation, Conv):
            if max(operation.stride) > 1 or len(run) == 4:
                break
            run.insert(0, operation)
        elif isinstance(operation, Pool | SubSampling) or not graph.nodes[at].inputs:
            break
        at = graph.nodes[at].inputs[0]
    text = " ".join(
        f"{c.kernel[0]}x{c.kernel[1]}d{c.dilation[0]}" for c in run if max(c.kernel) > 1
    )
    try:
        better = suggest(parse_stack(text)) if text else None
    except UserError:
        better = None
    if better is None:
        return ("smaller dilations that share no factor, such as 1, 2, 3",)
    return (f'dilations as in "{stack_text(better)}" for these {len(run)} layers',)
