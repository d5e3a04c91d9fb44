"""The engines by name: what builds each, and the package it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from convatlas.errors import UserError
from convatlas.nearest import closest
from convatlas.runtime.engines import eager, onnx_runtime, openvino, tuned
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.extras import has


@dataclass(frozen=True, slots=True)
class Maker:
    """How an engine is built, and the package without which it cannot be."""

    build: Callable[[Job], Engine]
    package: str


ENGINES = {
    "eager": Maker(eager.build, "torch"),
    "tuned": Maker(tuned.build, "torch"),
    "onnxruntime": Maker(onnx_runtime.build, "onnxruntime"),
    "openvino": Maker(openvino.build, "openvino"),
}


def engine(name: str, job: Job) -> Engine:
    """The named engine for a job; `UserError` for an unknown name or a missing extra."""
    if name not in ENGINES:
        raise UserError(
            f"unknown engine {name!r}{closest(name, tuple(ENGINES))}; known: {', '.join(ENGINES)}"
        )
    return ENGINES[name].build(job)


def available() -> tuple[str, ...]:
    """The engines whose package is installed."""
    return tuple(name for name, maker in ENGINES.items() if has(maker.package))
