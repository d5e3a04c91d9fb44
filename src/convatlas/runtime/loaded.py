"""A model loaded into an engine: what it says it reads and gives, and how it is run; no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convatlas.runtime.extras import need

Fed = NDArray[np.float32] | NDArray[np.uint8]
Run = Callable[[Fed], NDArray[np.float32]]
PROVIDERS = ("CPUExecutionProvider",)


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: its name, its numpy dtype (or the engine's word), ``None`` if free."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = " x ".join("any" if size is None else str(size) for size in self.shape)
        return f"{self.name}, {self.dtype} {sizes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model in an engine. ``run`` takes the one input and gives the first output."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    run: Run


def load_onnxruntime(
    model: bytes | Path, threads: int, *, prepack: bool = False, optimised: bool = False
) -> Loaded:
    """An ONNX model in ONNX Runtime, for any batch that the model takes.

    ``prepack``: rearrange the matrices of dense layers too. In float32 that wins nothing that can
    be measured and holds them in memory twice; in int8 it counts. ``optimised``: the model is what
    `optimise` wrote. Raises what the engine raises for a model it cannot read.
    """
    ort, options = _options(threads)
    if not prepack:
        options.add_session_config_entry("session.disable_prepacking", "1")
    if optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    given = model if isinstance(model, bytes) else str(model)
    session = ort.InferenceSession(given, options, providers=PROVIDERS, enable_fallback=0)
    session._model_bytes = None  # kept for a fallback to other providers, which is off
    return _of_session(session)


def optimise(model: Path, path: Path, weights: str) -> None:
    """Write an ONNX model as ONNX Runtime optimises it for this processor.

    The weights go into a file of that name beside it, which the engine maps into memory.
    """
    ort, options = _options(threads=1)
    options.optimized_model_filepath = str(path)
    for key, value in (
        ("session.optimized_model_external_initializers_file_name", weights),
        ("session.optimized_model_external_initializers_min_size_in_bytes", "1024"),
        ("session.disable_prepacking", "1"),  # done at loading, if at all
    ):
        options.add_session_config_entry(key, value)
    ort.InferenceSession(str(model), options, providers=PROVIDERS, enable_fallback=0)


def _options(threads: int) -> tuple[Any, Any]:
    """ONNX Runtime and options for a session in it."""
    ort = need("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors reach the caller as exceptions
    # threads that spin while they wait take the processors from those that decode pictures
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort, options


def _of_session(opened: Any) -> Loaded:
    """What an ONNX Runtime session says of itself."""
    inputs = tuple(_port(each) for each in opened.get_inputs())
    outputs = tuple(_port(each) for each in opened.get_outputs())
    names = [port.name for port in outputs[:1]]
    return Loaded(
        inputs=inputs,
        outputs=outputs,
        run=lambda fed: opened.run(names, {inputs[0].name: fed})[0],
    )


def load_openvino(model: bytes, threads: int, batch: int | None) -> Loaded:
    """An ONNX model in OpenVINO in float32, compiled for ``batch`` pictures, or for any number.

    Raises what the engine raises for a model it cannot read.
    """
    core = need("openvino").Core()
    read = core.read_model(model)
    if batch is not None and read.inputs[0].get_partial_shape()[0].is_dynamic:
        shape = read.inputs[0].get_partial_shape()
        shape[0] = batch
        read.reshape(shape)
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # left alone it may compute in bfloat16
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(read, "CPU", settings)
    request = compiled.create_infer_request()

    def run(fed: Fed) -> NDArray[np.float32]:
        # a copy, as the next call writes into the same memory
        return np.array(request.infer([fed], share_inputs=True)[0])

    return Loaded(
        inputs=tuple(_openvino_port(each) for each in read.inputs),
        outputs=tuple(_openvino_port(each) for each in read.outputs),
        run=run,
    )


def _port(said: Any) -> Port:
    names = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}
    sizes = tuple(size if isinstance(size, int) else None for size in said.shape)
    return Port(said.name, names.get(said.type, said.type), sizes)


def _openvino_port(said: Any) -> Port:
    sizes = tuple(None if dim.is_dynamic else dim.get_length() for dim in said.get_partial_shape())
    names = {"f32": "float32", "u8": "uint8"}
    kind = said.get_element_type().get_type_name()
    return Port(said.get_any_name(), names.get(kind, kind), sizes)
