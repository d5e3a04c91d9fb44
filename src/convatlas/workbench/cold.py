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

from convatlas.errors import UserError, one_line

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.network import Array

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
    size: str | None  # as given for a built-in network
    folder: str  # with the files
    shape: tuple[int, ...]  # of the input, with the batch
    threads: int


def cold(
    what: str, job: "Job", engines: Sequence[str], size: str | None = None
) -> dict[str, Cold | str]:
    """Start every engine once in a process of its own, one after another; or why it failed.

    ``what`` and ``size`` as `network_of` was given them for the job's network.
    """
    from safetensors.torch import save_file

    from convatlas.runtime.engine_names import ALONE

    found: dict[str, Cold | str] = {}
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
                    size=size,
                    folder=folder,
                    shape=job.shape,
                    threads=job.threads if plain == name else 1,
                )
            )
    return found


def _started(start: Start) -> Cold | str:
    command = [sys.executable, "-m", "convatlas.workbench.cold", json.dumps(asdict(start))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = ran.stderr.strip().splitlines()
        return said[-1] if said else f"its process ended with status {ran.returncode}"
    return Cold(**json.loads(ran.stdout.splitlines()[-1]))


def answer(start: Start) -> None:
    """The first answer of the engine; what it is does not matter here.

    Engines that read a file are set up as those of `runtime.engines`, but without its torch, and
    on the file itself rather than on a copy in memory.
    """
    from convatlas.runtime import sessions

    pixels = np.random.default_rng(0).standard_normal(start.shape, np.float32)
    if start.engine not in READ_FILES:
        _answer_by_torch(start, pixels)
        return
    model = Path(start.folder) / MODEL
    if start.engine == "onnxruntime":
        options = sessions.onnx_options(threads=start.threads)
        sessions.session_runner(sessions.onnx_session(model, options))(pixels)
    else:
        read = sessions.openvino_core().read_model(model)
        read.reshape(list(start.shape))
        sessions.openvino_runner(read, start.threads)(pixels)


def _answer_by_torch(start: Start, pixels: "Array") -> None:
    import torch
    from safetensors.torch import load_file

    from convatlas.runtime.engines import engine
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.network import Network

    torch.set_num_threads(start.threads)
    module = _module(start.what, start.size)
    module.load_state_dict(load_file(Path(start.folder) / WEIGHTS))
    channels, height, width = start.shape[1:]
    network = Network(name=start.what, module=module.eval(), shape=(channels, height, width))
    engine(start.engine, Job(network=network, batch=start.shape[0], threads=start.threads))(pixels)


def _module(what: str, size: str | None) -> "nn.Module":
    """The network without its weights, as `network_of` makes it, but for the runs that try it."""
    from convatlas import models
    from convatlas.workbench.ask import module_of
    from convatlas.workbench.built_in import task_of

    if Path(what).is_dir():
        from convatlas.training.run import load_run

        return load_run(Path(what)).model
    own = module_of(what)
    return models.blueprint(what, task_of(what, size)).build() if own is None else own.float()


def main() -> None:
    """The process: told by its argument, it prints a `Cold`."""
    start = Start(**json.loads(sys.argv[1]))
    try:
        answer(start)
    except Exception as error:  # engines raise what they like
        sys.exit(str(error) if isinstance(error, UserError) else one_line(error))
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
