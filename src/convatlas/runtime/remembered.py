"""Which engine was the fastest for a network on this machine, kept between calls; no torch."""

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

PACKAGES = ("convatlas", "torch", "onnxruntime", "openvino")


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """An engine and its milliseconds a call, with what the choice was made for."""

    engine: str
    milliseconds: float
    circumstances: dict[str, str]


def recall(known: dict[str, str]) -> Remembered | None:
    """What was kept for the same circumstances, if anything."""
    try:
        found = msgspec.json.decode(_path(known).read_bytes(), type=Remembered)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.circumstances == known else None


def remember(known: dict[str, str], engine: str, seconds: float) -> None:
    """Keep a choice; a cache that cannot be written is no error."""
    kept = Remembered(engine=engine, milliseconds=round(1e3 * seconds, 4), circumstances=known)
    path = _path(known)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(kept))
    except (OSError, UserError):
        return


def circumstances(network: str, shape: tuple[int, ...], threads: int) -> dict[str, str]:
    """All that a choice depends on: the network, its input with the batch, and the machine."""
    here = processor()
    return {
        "network": sha256(network.encode()).hexdigest()[:24],
        "input": "x".join(map(str, shape)),
        "threads": str(threads),
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
