"""A model loaded into an engine: what it says it reads and gives, and how it is run; no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convatlas.runtime.extras import need
from convatlas.runtime.sessions import (
    Run,
    onnx_options,
    onnx_session,
    openvino_core,
    openvino_runner,
    session_runner,
)


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

    ``prepack``: in float32 that wins nothing that can be measured; in int8 it counts.
    ``optimised``: the model is what `optimise` wrote. Threads that wait leave the processors to
    those that decode pictures. Raises what the engine raises for a model it cannot read.
    """
    options = onnx_options(threads=threads, spin=False, prepack=prepack)
    if optimised:
        levels = need("onnxruntime").GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_DISABLE_ALL
    session = onnx_session(model, options)
    return Loaded(
        inputs=tuple(_port(each) for each in session.get_inputs()),
        outputs=tuple(_port(each) for each in session.get_outputs()),
        run=session_runner(session),
    )


def optimise(model: Path, path: Path, weights: str) -> None:
    """Write an ONNX model as ONNX Runtime optimises it for this processor.

    The weights go into a file of that name beside it, which the engine maps into memory.
    """
    options = onnx_options(threads=1, prepack=False)  # prepacking is done at loading, if at all
    options.optimized_model_filepath = str(path)
    for key, value in (
        ("session.optimized_model_external_initializers_file_name", weights),
        ("session.optimized_model_external_initializers_min_size_in_bytes", "1024"),
    ):
        options.add_session_config_entry(key, value)
    onnx_session(model, options)


def load_openvino(model: bytes, threads: int, batch: int | None) -> Loaded:
    """An ONNX model in OpenVINO in float32, compiled for ``batch`` pictures, or for any number.

    Raises what the engine raises for a model it cannot read.
    """
    read = openvino_core().read_model(model)
    if batch is not None and read.inputs[0].get_partial_shape()[0].is_dynamic:
        shape = read.inputs[0].get_partial_shape()
        shape[0] = batch
        read.reshape(shape)
    return Loaded(
        inputs=tuple(_openvino_port(each) for each in read.inputs),
        outputs=tuple(_openvino_port(each) for each in read.outputs),
        run=openvino_runner(read, threads),
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
