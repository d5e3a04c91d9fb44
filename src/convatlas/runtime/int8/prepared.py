"""The float32 ONNX file made ready for quantising: constants folded, shapes known, layers named."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convatlas.errors import UserError
from convatlas.runtime.extras import need
from convatlas.runtime.onnx_file import quiet

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True, slots=True)
class Layer:
    """A node that multiplies: its name in the file, and the module whose weights it holds."""

    node: str
    module: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file in a folder of its own, where whatever is made on the way may lie too.

    ``layers`` in the order they are computed. ``entry``: nodes before the first of them, which
    prepare the picture if that is fused, and stay as they are.
    """

    model: Path
    layers: tuple[Layer, ...]
    entry: tuple[str, ...]

    def beside(self, name: str) -> Path:
        """A path in the same folder."""
        return self.model.with_name(name)


@contextlib.contextmanager
def prepared(blob: bytes, name: str) -> Iterator[Prepared]:
    """Write the prepared file of a network into a folder that is removed afterwards."""
    onnx = need("onnx")
    shapes = need("onnxruntime.quantization.shape_inference")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prepared.onnx"
        with hushed():
            shapes.quant_pre_process(onnx.load_from_string(blob), str(path))
        if not path.exists():
            raise UserError(f"ONNX Runtime cannot prepare {name} for int8; export it as float32")
        nodes = onnx.load(path, load_external_data=False).graph
        layers, entry = _layers(nodes)
        if not layers:
            raise UserError(f"{name} has no layer with weights, so int8 has nothing to quantise")
        yield Prepared(path, layers, entry)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Without the warnings, progress bars and log lines of quantisers."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with quiet():
            yield
    finally:
        logging.disable(before)


def _layers(graph: Any) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """The layers, and the nodes that read nothing a layer has made."""
    constants = {each.name for each in graph.initializer}
    layers: list[Layer] = []
    entry: list[str] = []
    late: set[str] = set()  # tensors behind a layer
    for node in graph.node:  # in an order in which they can be computed
        if node.op_type in WEIGHTED:
            layers.append(Layer(node.name, _module(node, constants)))
            late.update(node.output)
        elif late.intersection(node.input):
            late.update(node.output)
        else:
            entry.append(node.name)
    return tuple(layers), tuple(entry)


def _module(node: Any, constants: set[str]) -> str:
    """The module's path where the weights still bear it, else the node's name."""
    found: Sequence[str] = [name for name in node.input if name in constants]
    stem = found[0].rpartition(".")[0] if found else ""
    return stem or node.name
