"""The layers of a module in the order they run, for tests that compare them with a table."""

from typing import NamedTuple

from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import propagate
from convatlas.graph.source import Input


class Layer(NamedTuple):
    """One call of a module that is no container, for one picture."""

    path: str
    kind: str
    output: Shape  # without the batch
    parameters: int
    macs: int


def layers(model: nn.Module, pictures: Tensor) -> tuple[Layer, ...]:
    """Every operation on the pictures (1, C, H, W) in evaluation mode; those of a module as one."""
    graph = capture(model, tuple(pictures.shape), training=False)
    kinds = {path: type(module).__name__ for path, module in model.named_modules()}
    rows: list[Layer] = []
    counted: set[int] = set()
    for node, made in zip(graph.nodes, propagate(graph).measures, strict=True):
        if node.path not in kinds or isinstance(node.operation, Input):
            continue
        new = [i for i in node.parameters if i not in counted and not graph.parameters[i].buffer]
        counted |= set(new)
        parameters = sum(graph.parameters[i].size for i in new)
        row = Layer(node.path, kinds[node.path], made.shape[1:], parameters, made.macs)
        if rows and rows[-1].path == node.path:
            *_, before, done = rows.pop()
            row = row._replace(parameters=parameters + before, macs=made.macs + done)
        rows.append(row)
    return tuple(rows)
