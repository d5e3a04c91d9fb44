"""The processor as the system describes it; no heavy imports."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

DESCRIPTION = Path("/proc/cpuinfo")
FIRST = 8192  # bytes that hold the first processor of a list of many


@dataclass(frozen=True, slots=True)
class Processor:
    """Its name, and the instructions it has; none are known where the system does not list them."""

    name: str
    instructions: frozenset[str]


def processor() -> Processor:
    """The first processor of this machine; all are taken to be alike."""
    told: dict[str, str] = {}
    try:
        with DESCRIPTION.open("rb", buffering=0) as file:
            lines = file.read(FIRST).decode(errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        told.setdefault(key.strip(), value.strip())
    name = told.get("model name") or told.get("CPU part") or _name_elsewhere()
    listed = told.get("flags") or told.get("Features") or ""
    return Processor(name, frozenset(listed.split()))


def _name_elsewhere() -> str:
    """Where the system lists no processors; `platform` may start a process to find out."""
    return os.environ.get("PROCESSOR_IDENTIFIER") or platform.processor() or platform.machine()
