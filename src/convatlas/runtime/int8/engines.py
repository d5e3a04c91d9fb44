"""Engines that compute in int8: only for those who ask, as they are not equal to eager."""

from collections.abc import Callable
from typing import Any

from convatlas.runtime.engines import onnx_runtime, openvino
from convatlas.runtime.engines.engine import Engine, Job

# name: the method that makes its model, and what builds it from that model for a job
INT8_ENGINES: dict[str, tuple[str, Callable[[Any, Job], Engine]]] = {
    "onnxruntime-int8": ("onnxruntime", onnx_runtime.run_file),
    "openvino-int8": ("nncf", lambda model, job: openvino.run_model(model.clone(), job)),
}
