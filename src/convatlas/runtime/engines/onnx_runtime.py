"""ONNX Runtime on the CPU, with all its graph optimisations."""

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.extras import need
from convatlas.runtime.onnx_file import INPUT


def build(job: Job) -> Engine:
    """A session for any batch."""
    return run_file(job.onnx(), job)


def run_file(model: bytes, job: Job) -> Engine:
    """The same of another file of the network."""
    ort = need("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = job.threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {INPUT: pixels})[0]
