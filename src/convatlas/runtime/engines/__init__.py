"""The engines by name: what builds each, and what a machine lacks to run it."""

from collections.abc import Callable
from dataclasses import dataclass

from convatlas.errors import UserError
from convatlas.runtime import engine_names
from convatlas.runtime.closeness import EQUAL
from convatlas.runtime.engines import compiled, cuda, eager, kernel, onnx_runtime, openvino, tuned
from convatlas.runtime.engines.engine import Engine, Job, guarded
from convatlas.runtime.engines.kernel.library import AVX512, SPLIT, Kernel, lacking
from convatlas.runtime.extras import has, missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """How an engine is built, and what this machine lacks to run it (``None``: nothing).

    ``patience``: seconds that building mostly takes. ``tolerance``: the relative error to eager
    it may have. ``asked``: it is only run for those who name it. ``threaded``: it runs on the
    job's threads, whatever the process has set for torch. ``outdone_by``: an engine that is faster
    wherever it is equal, so that this one is then only run for those who name it.
    """

    build: Callable[[Job], Engine]
    lacking: Callable[[], str | None] = lambda: None
    patience: float = 1
    tolerance: float = EQUAL
    asked: bool = False
    threaded: bool = False
    outdone_by: str | None = None


def lacks(package: str) -> Callable[[], str | None]:
    """What is said where a package is not installed."""
    return lambda: None if has(package) else missing(package)


def kernel_lacks(which: Kernel) -> Callable[[], str | None]:
    """What is said where our own kernel cannot run."""
    return lambda: lacking(which)


ENGINES = {
    "eager": Maker(build=eager.build),
    "tuned": Maker(build=tuned.build),
    "onnxruntime": Maker(
        build=onnx_runtime.build, lacking=lacks("onnxruntime"), patience=10, threaded=True
    ),
    "openvino": Maker(build=openvino.build, lacking=lacks("openvino"), patience=10, threaded=True),
    "split": Maker(build=kernel.build_split, lacking=kernel_lacks(SPLIT), patience=15),
    "avx512": Maker(
        build=kernel.build_avx512, lacking=kernel_lacks(AVX512), patience=15, outdone_by="split"
    ),
    "compiled": Maker(build=compiled.build, lacking=compiled.lacking, patience=45),
    "cuda": Maker(build=cuda.build_float32, lacking=cuda.lacking, patience=10),
    "cuda-fp16": Maker(
        build=cuda.build_float16, lacking=cuda.lacking, patience=10, tolerance=2e-2, asked=True
    ),
    "cuda-bf16": Maker(
        build=cuda.build_bfloat16, lacking=cuda.lacking, patience=10, tolerance=5e-2, asked=True
    ),
    "tensorrt": Maker(build=cuda.build_tensorrt, lacking=cuda.lacking_tensorrt, patience=120),
}


def engine(name: str, job: Job) -> Engine:
    """The named engine for a job; it refuses pictures of another shape than the job's.

    Raises `UserError` for an unknown name or one that cannot run here.
    """
    check_name(name)
    if reason := ENGINES[name].lacking():
        raise UserError(f"the engine {name} cannot run here: {reason}")
    return guarded(name, job, ENGINES[name].build(job))


def check_name(name: str) -> None:
    """Refuse a name that is no engine's."""
    engine_names.check_name(name, tuple(ENGINES))


def available() -> tuple[str, ...]:
    """The engines that can run here and need not be asked for."""
    return tuple(
        name for name, maker in ENGINES.items() if not maker.asked and maker.lacking() is None
    )
