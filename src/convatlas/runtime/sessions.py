"""Models in ONNX Runtime and OpenVINO: how both are set up wherever they are run here; no torch.

What differs by what a model is run for is said by those who open it; all else stands here.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convatlas.runtime.extras import need

Fed = NDArray[np.float32] | NDArray[np.uint8]
Run = Callable[[Fed], NDArray[np.float32]]
CPU = ("CPUExecutionProvider",)
_MAKING = Lock()  # a cached function may be called twice before it has answered once


def onnx_options(*, threads: int = 0, spin: bool = True, prepack: bool = True) -> Any:
    """Options of an ONNX Runtime session.

    ``threads``: 0 is one for every processor. ``spin``: threads that wait for work keep their
    processor, which is quickest where nothing else runs. ``prepack``: rearrange the matrices of
    dense layers at loading, which are then in memory twice.
    """
    options = need("onnxruntime").SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors reach the caller as exceptions
    if not spin:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not prepack:
        options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def onnx_session(model: bytes | Path, options: Any, providers: Sequence[str] = CPU) -> Any:
    """A model in ONNX Runtime, on these providers and no others.

    Raises what the engine raises for a model it cannot read.
    """
    given = model if isinstance(model, bytes) else str(model)
    session = need("onnxruntime").InferenceSession(
        given, options, providers=list(providers), enable_fallback=0
    )
    session._model_bytes = None  # kept for a fallback to other providers, which is off
    return session


def session_runner(session: Any) -> Run:
    """A session as a function from its one input to its first output."""
    name = session.get_inputs()[0].name
    first = [each.name for each in session.get_outputs()[:1]]
    return lambda fed: session.run(first, {name: fed})[0]


def onnx_runner(model: bytes | Path) -> Run:
    """A model in ONNX Runtime as a function, as quick as it can be on all processors."""
    return session_runner(onnx_session(model, onnx_options()))


def openvino_core() -> Any:
    """The one OpenVINO core of this process, kept to its end.

    Each core's processor plugin gives the thread that makes it a stack for signals, and when it
    goes puts back the one from before. Of two whose lives overlap, the later thus puts back one
    that is gone, and the next signal, as Ctrl-C, kills the process.
    """
    with _MAKING:
        return _core()


@cache
def _core() -> Any:
    return need("openvino").Core()


def openvino_runner(model: Any, threads: int | None = None) -> Run:
    """OpenVINO's own form of a model as a function; what is not int8 is computed in float32.

    ``threads``: by default one for every processor.
    """
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # left alone it may compute in bfloat16
        "PERFORMANCE_HINT": "LATENCY",
    } | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
    compiled = openvino_core().compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()

    def run(fed: Fed) -> NDArray[np.float32]:
        # a copy, as the next call writes into the same memory
        return np.array(request.infer([fed], share_inputs=True)[0])

    return run
