"""A bundle opened with an engine, ready to classify pictures; imports no torch."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from convatlas.errors import UserError, argued, one_line
from convatlas.runtime.agree import check_agreement
from convatlas.runtime.bundle import SUFFIX, read_bundle, read_card
from convatlas.runtime.classifier import Classifier
from convatlas.runtime.extras import need
from convatlas.runtime.format_names import SUFFIXES
from convatlas.runtime.loaded import Loaded, load_onnxruntime, load_openvino
from convatlas.runtime.ready import discard, find_ready
from convatlas.runtime.sessions import Fed, Run
from convatlas.runtime.threads import check_threads, processors

ENGINES = ("onnxruntime", "openvino")
Pixels = TypeVar("Pixels", NDArray[np.float32], NDArray[np.uint8], Fed)


def open_classifier(
    path: Path,
    *,
    threads: int | None = None,
    engine: str = "onnxruntime",
    batch: int | None = None,
) -> Classifier:
    """The classifier in a bundle, for pictures in any number at once.

    ``threads``: by default one for every processor this process may use, four times these at most.
    ``batch``: how many pictures will mostly be given at once, for OpenVINO, which is fastest when
    compiled for one number; fewer are filled up with zeros, more are run in turn.
    Raises `UserError`: no bundle, damaged, model and card at odds, an unknown or missing engine.
    """
    if engine not in ENGINES:
        known = ", ".join(ENGINES)
        raise argued(f"no engine {engine!r} runs a bundle; known: {known}", ("", ", auto"))
    check_threads(threads)
    check_number("batch", batch)
    check_kind(path)
    card, _ = read_card(path)
    try:
        loaded = (
            _by_openvino(path, threads or processors(), batch)
            if engine == "openvino"
            else _by_onnxruntime(path, threads or processors(), prepack=card.precision != "fp32")
        )
    except UserError:
        raise
    except Exception as error:  # engines raise what they like
        raise UserError(
            f"{engine} cannot read the model in {path}: {one_line(error)}; export it again"
        ) from error
    check_agreement(path, card, loaded)
    return Classifier(card=card, run=told(card.network, engine, _runner(loaded)))


def _by_openvino(path: Path, threads: int, batch: int | None) -> Loaded:
    need("openvino")  # before reading what may be much
    return load_openvino(read_bundle(path).model, threads, batch)


def _by_onnxruntime(path: Path, threads: int, *, prepack: bool) -> Loaded:
    """From the cache, if the bundle was made ready, or else from the bundle itself."""
    need("onnxruntime")
    ready = find_ready(path)
    if ready:
        try:
            return load_onnxruntime(ready.model, threads, prepack=prepack, optimised=True)
        except Exception:  # damaged in a way that does not show
            discard(ready)
    return load_onnxruntime(read_bundle(path).model, threads, prepack=prepack)


def check_number(name: str, value: int | None) -> None:
    """Refuse a number of pictures or classes below 1."""
    if value is not None and value < 1:
        raise UserError(f"{name} is a number from 1, given {value}")


def check_kind(path: Path) -> None:
    """Refuse what is often given in place of a bundle."""
    if os.path.isdir(path):
        raise UserError(
            f"{path} is a folder; a bundle is one file, which `convatlas export` makes of a run"
        )
    named = next((to for to, suffix in SUFFIXES.items() if suffix == path.suffix), "bundle")
    if named != "bundle":
        raise UserError(
            f"{path} is named like {named}, which is for other programs; give a bundle ({SUFFIX}): "
            "`convatlas export` without --to makes one"
        )


def told(network: str, engine: str, run: Run) -> Run:
    """The same function with a `UserError` where the engine fails; engines raise what they like."""

    def ran(fed: Fed) -> NDArray[np.float32]:
        try:
            return run(fed)
        except Exception as error:
            raise UserError(
                f"{engine} cannot run {network} on {len(fed)} pictures: {one_line(error)}"
            ) from error

    return ran


def _runner(loaded: Loaded) -> Run:
    """The model as a function for any number of pictures."""
    size = loaded.inputs[0].shape[0]
    return loaded.run if size is None else lambda fed: in_batches(loaded.run, fed, size)


def in_batches(
    run: Callable[[Pixels], NDArray[np.float32]], fed: Pixels, size: int
) -> NDArray[np.float32]:
    """Run pictures through a model that takes ``size`` at once; the last are filled up."""
    scores = []
    for start in range(0, len(fed), size):
        part = fed[start : start + size]
        short = size - len(part)
        whole = np.concatenate((part, np.zeros((short, *fed.shape[1:]), fed.dtype)))
        scores.append(run(whole if short else part)[: len(part)])
    return np.concatenate(scores)
