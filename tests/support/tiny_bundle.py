"""Bundles made by hand, without torch: a mean of each channel, then one matrix."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from convatlas.runtime.bundle import Bundle, BundleCard, Figures, Preparation, write_bundle

SIDE = 8
LABELS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiny:
    """What the model and its card are to be; ``wide``: values in between, for a larger file."""

    channels: int = 3
    batch: int | None = None
    fused: bool = False
    labels: tuple[str, ...] = LABELS
    classes: int = 3
    maps: bool = False  # scores of every pixel
    wide: int = 0
    seed: int = 0

    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of the two matrices (channels, wide) and (wide, classes), or of one that is the eye."""
        rng = np.random.default_rng(self.seed)
        if not self.wide:
            eye = np.eye(self.channels, self.classes, dtype=np.float32)
            return np.eye(self.channels, dtype=np.float32), 10 * eye
        shapes = (self.channels, self.wide), (self.wide, self.classes)
        first, second = (rng.standard_normal(shape, np.float32) for shape in shapes)
        return first, second / np.float32(self.wide)

    def scores(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the model gives for decoded pictures, in numpy."""
        first, second = self.weights()
        x = pictures.astype(np.float32) / 255 - np.float32(0.5)
        return x.mean((2, 3)) @ first @ second


def tiny_model(tiny: Tiny) -> bytes:
    """The ONNX file."""
    batch = tiny.batch or "batch"
    kind = TensorProto.UINT8 if tiny.fused else TensorProto.FLOAT
    pixels = helper.make_tensor_value_info("pixels", kind, [batch, tiny.channels, SIDE, SIDE])
    first, second = tiny.weights()
    kept = [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")]
    nodes = []
    name = "pixels"
    if tiny.fused:
        kept += [
            numpy_helper.from_array(np.float32(value), said)
            for said, value in (("scale", 255), ("mean", 0.5))
        ]
        nodes += [
            helper.make_node("Cast", ["pixels"], ["cast"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["cast", "scale"], ["unit"]),
            helper.make_node("Sub", ["unit", "mean"], ["prepared"]),
        ]
        name = "prepared"
    if tiny.maps:
        nodes.append(helper.make_node("Identity", [name], ["scores"]))
        shape = [batch, tiny.channels, SIDE, SIDE]
    else:
        nodes += [
            helper.make_node("GlobalAveragePool", [name], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
            helper.make_node("MatMul", ["flat", "first"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "second"], ["scores"]),
        ]
        shape = [batch, tiny.classes]
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "tiny", [pixels], [scores], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    blob: bytes = model.SerializeToString()
    return blob


def tiny_card(tiny: Tiny) -> BundleCard:
    """The card that goes with it."""
    mean, deviation = (
        Figures(shape=(tiny.channels, 1, 1), values=(value,) * tiny.channels)
        for value in (0.5, 1.0)
    )
    return BundleCard(
        network="tiny",
        input=(tiny.batch, tiny.channels, SIDE, SIDE),
        preparation=Preparation(side=SIDE, mean=mean, deviation=deviation),
        fused=tiny.fused,
        labels=tiny.labels,
        opset=20,
    )


PLAIN = Tiny()


def tiny_bundle(path: Path, tiny: Tiny = PLAIN) -> Path:
    """Write it; returns the path."""
    write_bundle(path, Bundle(tiny_card(tiny), tiny_model(tiny)))
    return path
