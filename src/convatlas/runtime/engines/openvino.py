"""OpenVINO on the CPU for one shape, in float32 (left alone it may compute in bfloat16)."""

from typing import Any

import numpy as np

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.extras import need
from convatlas.runtime.network import Array


def build(job: Job) -> Engine:
    """A compiled model whose batch is fixed."""
    return run_model(need("openvino").Core().read_model(job.onnx()), job)


def run_model(model: Any, job: Job) -> Engine:
    """The same of another model of the network; its shape is changed in place."""
    core = need("openvino").Core()
    model.reshape(list(job.shape))
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": job.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(pixels: Array) -> Array:
        # a copy, as the next call writes into the same memory
        return np.array(request.infer([pixels], share_inputs=True)[0])

    return run
