"""Which engine was the fastest for a network on this machine, kept between calls; no torch."""

import os
import platform
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import msgspec

from convatlas.cache import cache_folder
from convatlas.errors import UserError
from convatlas.files import write_atomically
from convatlas.processor import processor
from convatlas.runtime.extras import version_of

PACKAGES = (
    *("convatlas", "torch", "openvino"),
    *("onnx", "onnxscript", "onnxruntime", "onnxruntime-gpu"),
)


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """An engine and its milliseconds a call, with what the choice was made for.

    ``budget``: seconds for building engines that did not suffice for all of them.
    """

    engine: str
    milliseconds: float
    circumstances: dict[str, str]
    budget: float | None = None


def recall(known: dict[str, str], budget: float = 0.0) -> Remembered | None:
    """What was kept for the same circumstances, if anything.

    With more ``budget`` than did not suffice then, nothing: engines may win that were not tried.
    """
    try:
        found = msgspec.json.decode(_path(known).read_bytes(), type=Remembered)
    except (OSError, msgspec.MsgspecError):
        return None
    if found.circumstances != known or (found.budget is not None and budget > found.budget):
        return None
    return found


def remember(
    known: dict[str, str], engine: str, seconds: float, budget: float | None = None
) -> None:
    """Keep a choice, with the ``budget`` if that did not suffice for all engines.

    A cache that cannot be written is no error.
    """
    kept = Remembered(
        engine=engine, milliseconds=round(1e3 * seconds, 4), circumstances=known, budget=budget
    )
    path = _path(known)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(kept))
    except (OSError, UserError):
        return


def circumstances(
    network: str,
    shape: tuple[int, ...],
    threads: int,
    more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """All that a choice depends on: the network, its input with the batch, and the machine.

    ``more``: what else matters for the engines that are chosen from.
    """
    here = processor()
    return {
        "network": sha256(network.encode()).hexdigest()[:24],
        "input": "x".join(map(str, shape)),
        "threads": str(threads),
        "processor": here.name,
        "instructions": sha256(" ".join(sorted(here.instructions)).encode()).hexdigest()[:16],
        "processors": str(os.cpu_count()),
        "python": platform.python_version(),
        **{name: version_of(name) for name in PACKAGES},
        **more,
    }


def _path(known: dict[str, str]) -> Path:
    key = sha256(msgspec.json.encode(known, order="sorted")).hexdigest()[:24]
    return cache_folder() / "choices" / f"{key}.json"
