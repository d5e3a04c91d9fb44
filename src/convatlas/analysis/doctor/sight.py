"""What is left to look at: maps of one pixel, single values, fields larger than the picture."""

from collections.abc import Iterator

from convatlas.analysis.doctor.case import Case, listed
from convatlas.analysis.doctor.finding import Finding
from convatlas.graph.conv import Conv
from convatlas.graph.norm import BatchNorm
from convatlas.graph.operation import elements, shown
from convatlas.graph.pool import Pool


def single_pixels(case: Case) -> Iterator[Finding]:
    """Layers with a kernel that work on maps of one pixel."""
    found = []
    for index, node in enumerate(case.graph.nodes):
        operation = node.operation
        if isinstance(operation, Conv | Pool) and elements(operation.kernel) > 1:
            space = case.shape(node.inputs[0])[-len(operation.kernel) :]
            if elements(space) == 1:
                found.append(case.name(index))
    if found:
        layers = "a layer works" if len(found) == 1 else f"{len(found)} layers with a kernel work"
        yield Finding(
            weight="warning",
            what="single pixel",
            place=found[0],
            says=f"a single pixel is left before {found[0]}, and {layers} on it: {listed(found)}",
            changes=("a larger input, or fewer strides before",),
        )


def single_values(case: Case) -> Iterator[Finding]:
    """Batch normalisation of one pixel a map: with a batch of 1 training fails."""
    found = [
        case.name(index)
        for index, node in enumerate(case.graph.nodes)
        if isinstance(node.operation, BatchNorm) and elements(case.shape(node.inputs[0])[2:]) == 1
    ]
    if found:
        batch = case.made.inputs[0][0]
        fails = batch == 1 and case.training
        yield Finding(
            weight="error" if fails else "note",
            what="batch of one",
            place=found[0],
            says=f"batch normalisation of a single pixel in {listed(found)}: torch cannot train it "
            "with a batch of 1",
            changes=("batches of 2 or more (drop the last one if it is smaller)", "a larger input"),
        )


def larger_than_input(case: Case) -> Iterator[Finding]:
    """From where on the receptive field is larger than the picture."""
    picture = case.picture[2:]
    for index, field in enumerate(case.seen):
        if field is None or not field.local or len(field.size) != len(picture):
            continue
        if any(size > side for size, side in zip(field.size, picture, strict=True)):
            place = case.name(index)
            yield Finding(
                weight="note",
                what="field larger than input",
                place=place,
                says=f"from {place} on a position sees more than the picture: "
                f"{shown(field.size)} of {shown(picture)}, the rest is padding",
            )
            return
