"""ONNX Runtime on the CPU, with all its graph optimisations."""

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.sessions import onnx_options, onnx_session, session_runner


def build(job: Job) -> Engine:
    """A session for any batch."""
    return run_file(job.onnx(), job)


def run_file(model: bytes, job: Job) -> Engine:
    """The same of another file of the network."""
    return session_runner(onnx_session(model, onnx_options(threads=job.threads)))
