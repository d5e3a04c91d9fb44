"""Where rounding to int8 buys nothing, it is left out."""

from collections.abc import Callable, Collection
from typing import Any

from convatlas.runtime.int8.prepared import WEIGHTED

# What only moves values or sums them: faster in int8 if what comes before and after is int8 too.
PASSING = (
    *("Add", "Relu", "Clip", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool"),
    *("Reshape", "Flatten", "Transpose", "Split"),
)
OPERATIONS = (*WEIGHTED, *PASSING)
# These have kernels that read int8 and give float; a convolution in ONNX Runtime has none.
FLOAT_OUT = ("Gemm", "MatMul")


def float_nodes(graph: Any, keep: Collection[str]) -> set[str]:
    """Nodes that stay float: those to ``keep``, those without an int8 form, and what feeds them.

    A node that passes values on is int8 only if all that read it are. OpenVINO 2026.4 even
    crashes on a concatenation in int8 before a batch norm, which is what DenseNet is made of.
    """
    readers = _readers(graph)
    outputs = {each.name for each in graph.output}
    left = set(keep)
    for node in reversed(graph.node):
        if node.op_type not in OPERATIONS:
            left.add(node.name)
        elif node.op_type in PASSING:
            behind = [reader for name in node.output for reader in readers.get(name, ())]
            if outputs.intersection(node.output) or left.intersection(behind):
                left.add(node.name)
    return left


def unrounded(model: Any, floats: Collection[str]) -> Any:
    """Without the rounding of what a dense layer gives to float nodes, or as the scores."""
    graph = model.graph
    made = {name: node for node in graph.node for name in node.output}
    readers = _readers(graph)
    outputs = {each.name for each in graph.output}
    source: dict[str, str] = {}
    gone = set()
    for undone in graph.node:
        if undone.op_type != "DequantizeLinear" or undone.input[0] not in made:
            continue  # of a constant: weights
        done = made[undone.input[0]]
        layer = made.get(done.input[0])
        if not layer or layer.op_type not in FLOAT_OUT:
            continue
        behind = readers.get(undone.output[0], [])
        if outputs.intersection(undone.output):
            layer.output[0] = undone.output[0]
        elif set(behind) <= set(floats):
            source[undone.output[0]] = layer.output[0]
        else:
            continue
        gone |= {undone.name, done.name}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = source.get(name, name)
    _keep(graph.node, lambda node: node.name not in gone)
    used = _readers(graph)
    _keep(graph.initializer, lambda constant: constant.name in used)
    return model


def _keep(entries: Any, wanted: Callable[[Any], bool]) -> None:
    """Take the others out of a list of the file."""
    kept = [entry for entry in entries if wanted(entry)]
    del entries[:]
    entries.extend(kept)


def _readers(graph: Any) -> dict[str, list[str]]:
    """The names of the nodes that read each tensor."""
    found: dict[str, list[str]] = {}
    for node in graph.node:
        for name in node.input:
            found.setdefault(name, []).append(node.name)
    return found
