"""Views that take values of one picture for several: ``x.view(-1, 400)`` at another size."""

from collections.abc import Iterator

from convatlas.analysis.doctor.case import Case
from convatlas.analysis.doctor.finding import Finding
from convatlas.graph.operation import elements, shown
from convatlas.graph.product import Dense
from convatlas.graph.rearrange import View


def strayed(case: Case) -> Iterator[Finding]:
    """The first view whose rows cut across a picture's axes: torch takes it, and it is wrong."""
    batch = case.picture[0]
    for index, node in enumerate(case.graph.nodes):
        operation = node.operation
        if not isinstance(operation, View) or len(operation.sizes) != 2:
            continue
        given, made = case.shape(node.inputs[0]), case.shape(index)
        rows = {elements(given[axis:]) for axis in range(1, len(given))}
        if given[:1] != (batch,) or made[0] == batch or made[1] in rows or made[0] < batch:
            continue
        whole = elements(given[1:])
        following = [
            f", and in_features={whole} in {each.path}"
            for each in case.graph.nodes
            if isinstance(each.operation, Dense) and each.inputs[0] == index and each.path
        ]
        yield Finding(
            weight="error",
            what="batch",
            place=node.path,
            says=f"takes values of one picture for several: {shown(given)} is seen as "
            f"{shown(made)}, {made[0]:,} rows of a batch of {batch}",
            changes=(f"flatten(1) in place of the view{''.join(following)}",),
        )
        return
