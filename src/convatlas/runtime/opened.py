"""A bundle opened with an engine, ready to classify pictures; imports no torch."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convatlas.errors import UserError
from convatlas.runtime.agree import check_agreement
from convatlas.runtime.bundle import SUFFIX, read_bundle
from convatlas.runtime.classifier import Classifier
from convatlas.runtime.loaded import Fed, Loaded, Run, load_onnxruntime, load_openvino

Loader = Callable[[bytes, int, int | None], Loaded]
LOADERS: Final[dict[str, Loader]] = {
    "onnxruntime": load_onnxruntime,
    "openvino": load_openvino,
}
ENGINES = tuple(LOADERS)


def open_classifier(
    path: Path,
    *,
    threads: int | None = None,
    engine: str = "onnxruntime",
    batch: int | None = None,
) -> Classifier:
    """The classifier in a bundle, for pictures in any number at once.

    ``threads``: by default one for every processor this process may use. ``batch``: how many
    pictures will mostly be given at once, for OpenVINO, which is fastest when compiled for one
    number; fewer are filled up with zeros, more are run in turn.
    Raises `UserError`: no bundle, damaged, model and card at odds, an unknown or missing engine.
    """
    if engine not in LOADERS:
        raise UserError(f"no engine {engine!r} runs a bundle; known: {', '.join(LOADERS)}")
    check_number("threads", threads)
    check_number("batch", batch)
    _check_kind(path)
    bundle = read_bundle(path)
    try:
        loaded = LOADERS[engine](bundle.model, threads or processors(), batch)
    except UserError:
        raise
    except Exception as error:  # engines raise what they like
        raise UserError(
            f"{engine} cannot read the model in {path}: {_line(error)}; export it again"
        ) from error
    check_agreement(path, bundle.card, loaded)
    return Classifier(card=bundle.card, run=_runner(bundle.card.network, engine, loaded))


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1


def check_number(name: str, value: int | None) -> None:
    """Refuse a number of threads or pictures below 1."""
    if value is not None and value < 1:
        raise UserError(f"{name} is a number from 1, given {value}")


def _check_kind(path: Path) -> None:
    if path.is_dir():
        raise UserError(
            f"{path} is a folder; a bundle is one file, which `convatlas export` makes of a run"
        )
    if path.suffix == ".onnx":
        raise UserError(
            f"{path} is plain ONNX, which does not say how pictures are prepared; give a bundle "
            f"({SUFFIX}): `convatlas export` without --to makes one"
        )


def _runner(network: str, engine: str, loaded: Loaded) -> Run:
    """The model as a function for any number of pictures; `UserError` where the engine fails."""
    size = loaded.inputs[0].shape[0]

    def run(fed: Fed) -> NDArray[np.float32]:
        try:
            return loaded.run(fed) if size is None else in_batches(loaded.run, fed, size)
        except Exception as error:  # engines raise what they like
            raise UserError(
                f"{engine} cannot run {network} on {len(fed)} pictures: {_line(error)}"
            ) from error

    return run


def in_batches(run: Run, fed: Fed, size: int) -> NDArray[np.float32]:
    """Run pictures through a model that takes ``size`` at once; the last are filled up."""
    scores = []
    for start in range(0, len(fed), size):
        part = fed[start : start + size]
        short = size - len(part)
        whole = np.concatenate((part, np.zeros((short, *fed.shape[1:]), fed.dtype)))
        scores.append(run(whole if short else part)[: len(part)])
    return np.concatenate(scores)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
