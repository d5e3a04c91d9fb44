"""Which engine was the fastest for a job on this machine, kept between calls."""

import os
import platform
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from convatlas.cache import cache_folder
from convatlas.errors import UserError
from convatlas.files import write_atomically
from convatlas.processor import processor
from convatlas.runtime.engines.engine import Job

PACKAGES = ("convatlas", "torch", "onnxruntime", "openvino")


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """An engine and its milliseconds a call, with what the choice was made for."""

    engine: str
    milliseconds: float
    circumstances: dict[str, str]


def recall(job: Job) -> Remembered | None:
    """What was kept for the same network, batch, threads, machine and versions, if anything."""
    known = circumstances(job)
    try:
        found = msgspec.json.decode(_path(known).read_bytes(), type=Remembered)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.circumstances == known else None


def remember(job: Job, engine: str, seconds: float) -> None:
    """Keep a choice; a cache that cannot be written is no error."""
    known = circumstances(job)
    kept = Remembered(engine=engine, milliseconds=round(1e3 * seconds, 4), circumstances=known)
    path = _path(known)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(kept))
    except (OSError, UserError):
        return


def circumstances(job: Job) -> dict[str, str]:
    """All that a choice depends on.

    Of the network its name, input and the shapes of its weights: how fast an engine is does not
    depend on their values, and whether it is equal is looked at whenever it is built.
    """
    here = processor()
    weights = [
        (name, tuple(value.shape)) for name, value in job.network.module.state_dict().items()
    ]
    return {
        "network": job.network.name,
        "weights": sha256(repr(weights).encode()).hexdigest()[:16],
        "input": "x".join(map(str, job.shape)),
        "threads": str(job.threads),
        "processor": here.name,
        "instructions": sha256(" ".join(sorted(here.instructions)).encode()).hexdigest()[:16],
        "processors": str(os.cpu_count()),
        "python": platform.python_version(),
    } | {name: _version(name) for name in PACKAGES}


def _path(known: dict[str, str]) -> Path:
    key = sha256(msgspec.json.encode(known, order="sorted")).hexdigest()[:24]
    return cache_folder() / "choices" / f"{key}.json"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
