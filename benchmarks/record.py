"""What every benchmark keeps: the machine, the versions, the command and the figures."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
COMPUTING = (
    *("convatlas", "torch", "numpy", "pillow", "onnx", "onnxruntime", "openvino", "nncf"),
    *("torchvision", "timm", "starlette", "uvicorn", "uvloop", "httptools", "fastapi"),
    *("torchinfo", "fvcore", "ultralytics-thop", "ptflops", "calflops"),
)


def write_record(name: str, figures: Mapping[str, object]) -> Path:
    """Put the figures with all that surrounds them into ``results/NAME.json``."""
    record = {"benchmark": name, **made(), "machine": machine(), **figures}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def made() -> dict[str, str]:
    """When, and by which command."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.executable).name, *map(_relative, sys.argv)]),
    }


def machine() -> dict[str, object]:
    """Processor, cores, memory, and the versions of what is installed and may have computed."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "processor": model or platform.machine(),
        "cores": os.cpu_count(),
        "memory_GiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        **{name: found for name in COMPUTING if (found := installed(name))},
    }


def installed(package: str) -> str | None:
    """Its version, if there is one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest of repeated measurements, and how many."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
        "runs": len(values),
    }


def _relative(argument: str) -> str:
    path = Path(argument)
    return path.name if path.is_absolute() else argument
