"""torch's compiler (Inductor), ahead of time, with the weights frozen into the code."""

import tempfile
from pathlib import Path

import torch

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.engines.kernel.library import compiler
from convatlas.runtime.network import Array
from convatlas.runtime.onnx_file import quiet


def lacking() -> str | None:
    """Inductor writes C++."""
    return None if compiler() else "there is no C++ compiler; install g++, or set CXX"


def build(job: Job) -> Engine:
    """A compiled package for the job's shape; half a minute for a network of fifty layers.

    Ahead of time rather than by ``torch.compile``: the same code without the checks that Python
    makes before each call.
    """
    with tempfile.TemporaryDirectory() as folder, quiet(), torch.no_grad():
        program = torch.export.export(job.network.module, (torch.zeros(job.shape),))
        path = torch._inductor.aoti_compile_and_package(
            program,
            package_path=str(Path(folder) / "network.pt2"),
            inductor_configs={"freezing": True},
        )
        package = torch._inductor.aoti_load_package(path)

    def run(pixels: Array) -> Array:
        with torch.inference_mode():
            scores: Array = package(torch.from_numpy(pixels)).numpy()
        return scores

    return run
