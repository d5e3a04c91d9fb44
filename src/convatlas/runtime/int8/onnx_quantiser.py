"""ONNX Runtime's quantiser: an ONNX file with QuantizeLinear and DequantizeLinear at its layers.

Activations are uint8 (int8 on ARM), weights int8, symmetric, with a scale for each output channel;
ranges are the least and greatest of all calibrating pictures. Both engines run the file.
"""

import platform
from collections.abc import Collection, Iterable
from typing import Any

from convatlas.processor import processor
from convatlas.runtime.extras import need
from convatlas.runtime.int8.prepared import Prepared, hushed
from convatlas.runtime.int8.rounding import OPERATIONS, float_nodes, unrounded
from convatlas.runtime.onnx_file import INPUT
from convatlas.runtime.sessions import Fed

VNNI = ("avx512_vnni", "avx_vnni", "avxvnni")


def quantise(model: Prepared, feeds: Iterable[Fed], *, keep: Collection[str] = ()) -> bytes:
    """The int8 file; the named nodes stay float32.

    Ranges are measured in the first call for a model, and kept beside it for the next ones.
    """
    onnx, quantization = need("onnx"), need("onnxruntime.quantization")
    kinds = quantization.QuantType
    graph = onnx.load(model.model, load_external_data=False).graph
    floats = float_nodes(graph, (*model.entry, *keep))
    made, ranges = model.beside("int8.onnx"), model.beside("ranges.json")
    arm = platform.machine() in ("arm64", "aarch64")
    with hushed():
        quantization.quantize_static(
            str(model.model),
            str(made),
            _reader(feeds),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATIONS),
            per_channel=True,
            reduce_range=weight_bits() == 7,
            activation_type=kinds.QInt8 if arm else kinds.QUInt8,
            weight_type=kinds.QInt8,
            nodes_to_exclude=sorted(floats),
            calibration_cache_path=ranges,
        )
    blob: bytes = unrounded(onnx.load(made), floats).SerializeToString()
    made.unlink()
    return blob


def weight_bits() -> int:
    """Of a weight: 8, or 7 on x86 without VNNI, where sums of two products of 8 bits overflow."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return 8
    flags = processor().instructions  # none where the system lists none: nothing is known then
    return 8 if any(flag in flags for flag in VNNI) else 7


def _reader(feeds: Iterable[Fed]) -> Any:
    """The pictures one by one, as the quantiser asks for them."""
    base: Any = need("onnxruntime.quantization").CalibrationDataReader

    left = iter(feeds)

    class Reader(base):  # type: ignore[misc]  # its base is imported late, so unknown to mypy
        def get_next(self) -> dict[str, Fed] | None:
            pixels = next(left, None)
            return None if pixels is None else {INPUT: pixels}

    return Reader()
