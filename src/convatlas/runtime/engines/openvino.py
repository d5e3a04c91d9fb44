"""OpenVINO on the CPU for one shape, in float32."""

from typing import Any

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.sessions import openvino_core, openvino_runner


def build(job: Job) -> Engine:
    """A compiled model whose batch is fixed."""
    return run_model(openvino_core().read_model(job.onnx()), job)


def run_model(model: Any, job: Job) -> Engine:
    """The same of another model of the network; its shape is changed in place."""
    model.reshape(list(job.shape))
    return openvino_runner(model, job.threads)
