"""A cold start: a fresh process until an engine's first answer, and the memory it took.

Run as ``python -m convatlas.workbench.cold``, it is that process. Engines that read an ONNX file
import no torch; for the others the network is built and its weights are read from a file.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convatlas.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.engines.engine import Job

MODEL, WEIGHTS = "model.onnx", "weights.safetensors"
READ_FILES = ("onnxruntime", "openvino")


@dataclass(frozen=True, slots=True)
class Cold:
    """Seconds from a process's start to the first answer, and its largest memory in bytes."""

    seconds: float
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the process is told: when it was started, which engine, on what."""

    began: float  # seconds since the epoch
    engine: str
    what: str
    folder: str  # with the files
    shape: tuple[int, ...]  # of the input, with the batch
    threads: int


def cold(what: str, job: "Job", engines: Sequence[str]) -> dict[str, Cold | None]:
    """Start every engine once in a process of its own, one after another; ``None`` if it fails."""
    from safetensors.torch import save_file

    from convatlas.runtime.auto import ALONE

    found: dict[str, Cold | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        state = job.network.module.state_dict()
        save_file({k: v.contiguous().clone() for k, v in state.items()}, Path(folder) / WEIGHTS)
        if any(name.removesuffix(ALONE) in READ_FILES for name in engines):
            (Path(folder) / MODEL).write_bytes(job.onnx())
        for name in engines:
            plain = name.removesuffix(ALONE)
            found[name] = _started(
                Start(
                    began=time.time(),
                    engine=plain,
                    what=what,
                    folder=folder,
                    shape=job.shape,
                    threads=job.threads if plain == name else 1,
                )
            )
    return found


def _started(start: Start) -> Cold | None:
    command = [sys.executable, "-m", "convatlas.workbench.cold", json.dumps(asdict(start))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        return None
    return Cold(**json.loads(ran.stdout.splitlines()[-1]))


def answer(start: Start) -> None:
    """The first answer of the engine; what it is does not matter here."""
    pixels = np.random.default_rng(0).standard_normal(start.shape, np.float32)
    model = Path(start.folder) / MODEL
    if start.engine == "onnxruntime":
        from convatlas.runtime.loaded import load_onnxruntime

        load_onnxruntime(model, start.threads).run(pixels)
    elif start.engine == "openvino":
        from convatlas.runtime.loaded import load_openvino

        load_openvino(model.read_bytes(), start.threads, start.shape[0]).run(pixels)
    else:
        _answer_by_torch(start, pixels)


def _answer_by_torch(
    start: Start, pixels: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    import torch
    from safetensors.torch import load_file

    from convatlas.runtime.engines import engine
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.network import Network

    torch.set_num_threads(start.threads)
    module = _module(start.what)
    module.load_state_dict(load_file(Path(start.folder) / WEIGHTS))
    channels, height, width = start.shape[1:]
    network = Network(name=start.what, module=module.eval(), shape=(channels, height, width))
    engine(start.engine, Job(network=network, batch=start.shape[0], threads=start.threads))(pixels)


def _module(what: str) -> "nn.Module":
    """The network without its weights."""
    from convatlas import models
    from convatlas.workbench.ask import module_of

    if Path(what).is_dir():
        from convatlas.training.run import load_run

        return load_run(Path(what)).model
    own = module_of(what)
    return models.blueprint(what).build() if own is None else own


def main() -> None:
    """The process: told by its argument, it prints a `Cold`."""
    start = Start(**json.loads(sys.argv[1]))
    try:
        answer(start)
    except UserError as error:
        sys.exit(str(error))
    print(json.dumps({"seconds": time.time() - start.began, "memory": _largest_memory()}))  # noqa: T201


def _largest_memory() -> int:
    """In bytes. Linux's own count, as that of `resource` begins with what the parent had."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("VmHWM"))
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # engines take their time to end, which is no part of the answer
