"""Prediction: picture files to classes, by a bundle, which needs no torch, or by a run."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from convatlas.errors import UserError
from convatlas.runtime.measure import Tell, untold
from convatlas.runtime.threads import check_threads
from convatlas.training.folder import check_run

if TYPE_CHECKING:
    from convatlas.runtime.classifier import Classifier
    from convatlas.runtime.predictions import Prediction, Way

FEW = 8  # named files up to this number are answered one by one
Amount = Literal["few", "listed", "many"]
BATCHES: dict[Amount, int] = {"few": 1, "listed": 1, "many": 32}
AUTO = "auto"  # an engine's name: the fastest
DECODERS = 16  # threads; more wait for one another


@dataclass(frozen=True, slots=True, kw_only=True)
class Computing:
    """What computes: by default ONNX Runtime for a bundle, on all processors.

    ``engine``: ``onnxruntime`` or ``openvino``, or ``auto`` for the faster one, measured once and
    then remembered. A run is computed by torch, or by any engine `convatlas.fastest` chooses from.
    ``batch``: pictures at once. By default as many as the bundle was exported for, or, if that is
    free, 1 for few files or a list being read, so that each is answered at once, 32 for many.
    ``threads``: at most four times the processors.
    """

    engine: str | None = None
    threads: int | None = None
    batch: int | None = None


def predict(
    path: Path | str,
    images: Path | str | Iterable[Path | str],
    *,
    top: int = 3,
    invert: bool = False,
    computing: Computing = Computing(),
) -> "list[Prediction]":
    """Classify pictures with a bundle or a run: files, all below a folder, or those of a pattern.

    The ``top`` most probable classes of each, in the order given; those that cannot be read come
    back with their reason. ``invert``: for dark ink on light paper. Raises `UserError`.
    """
    from convatlas.runtime.predictions import predictions
    from convatlas.runtime.sources import PassedOver, sources

    if not isinstance(computing, Computing):
        raise UserError(f"expected a convatlas.Computing, given {computing!r}")
    given = [images] if isinstance(images, Path | str) else list(images)
    amount = amount_of(given)
    computing = settled(Path(path), computing, amount)
    classifier = open_network(Path(path), computing, amount)
    way = way_of(classifier, computing, amount, top=top, invert=invert)
    made = list(predictions(classifier, sources(given, PassedOver()), way))
    del classifier  # its memory, before the network is read once more
    keep(Path(path), computing)
    return made


def amount_of(arguments: Sequence[Path | str], listed: bool = False) -> Amount:
    """How many pictures are meant; ``listed``: by a list that is still being read, too."""
    from convatlas.runtime.sources import is_many

    if len(arguments) > FEW or any(map(is_many, arguments)):
        return "many"
    return "listed" if listed else "few"


def settled(
    path: Path, computing: Computing, amount: Amount = "few", tell: Tell = untold
) -> Computing:
    """With the engine that ``auto`` stands for; a run's is found when it is opened.

    ``tell`` hears what is being done. Raises `UserError`.
    """
    check_threads(computing.threads)
    if computing.engine is not None:
        _check_engine(path, computing.engine)
    if os.path.isdir(path):
        check_run(path)
    if computing.engine != AUTO or os.path.isdir(path):
        return computing
    from convatlas.runtime.quickest import quickest

    _check_there(path)
    batch = computing.batch or BATCHES[amount]
    found = quickest(path, threads=computing.threads, batch=batch, tell=tell)
    return replace(computing, engine=found)


def open_network(
    path: Path, computing: Computing, amount: Amount = "few", tell: Tell = untold
) -> "Classifier":
    """What classifies: a run folder with torch, or a bundle without; raises `UserError`.

    ``computing``: for a bundle as `settled` gives it. ``tell`` hears how the engine of a run is
    found.
    """
    batch = computing.batch or BATCHES[amount]
    if os.path.isdir(path):
        return _run(path, computing, batch, tell)
    _check_there(path)
    from convatlas.runtime.opened import ENGINES, open_classifier

    engine = computing.engine or ENGINES[0]
    return open_classifier(path, threads=computing.threads, engine=engine, batch=batch)


def way_of(
    classifier: "Classifier", computing: Computing, amount: Amount, *, top: int, invert: bool
) -> "Way":
    """How many at once, and decoded ahead by how many threads."""
    from convatlas.runtime.opened import check_number
    from convatlas.runtime.predictions import Way
    from convatlas.runtime.threads import processors

    check_number("top", top)
    check_number("batch", computing.batch)
    batch = computing.batch or classifier.card.input[0] or BATCHES[amount]
    workers = 0 if amount == "few" else min(computing.threads or processors(), DECODERS)
    return Way(top=top, invert=invert, batch=batch, workers=workers)


def keep(path: Path, computing: Computing) -> None:
    """Make a bundle ready for the next time, which then starts several times faster.

    ``computing``: as `settled` gives it.
    """
    if path.is_file() and computing.engine in (None, "onnxruntime"):
        from convatlas.runtime.ready import keep_ready

        keep_ready(path)


def drawn(classifier: "Classifier") -> str | None:
    """What the bundle says of its weights, if they were never trained."""
    said = classifier.card.source.get("weights", "")
    return said if said.startswith("drawn") else None


def _check_engine(path: Path, engine: str) -> None:
    """Refuse what no bundle, or no run, is computed by."""
    from convatlas.runtime.engine_names import ALONE, NAMES, check_name
    from convatlas.runtime.opened import ENGINES

    if os.path.isdir(path):
        check_name(engine.removesuffix(ALONE), (*NAMES, AUTO))
    elif engine not in (*ENGINES, AUTO):
        raise UserError(f"no engine {engine!r} runs a bundle; known: {', '.join(ENGINES)}, {AUTO}")


def _check_there(path: Path) -> None:
    from convatlas.runtime.bundle import SUFFIX

    if not os.path.exists(path) and path.suffix != SUFFIX:
        raise UserError(
            f"there is no run folder {path}, nor a bundle of that name; `convatlas train` makes "
            "the one, `convatlas export` the other"
        )


def _run(folder: Path, computing: Computing, batch: int, tell: Tell) -> "Classifier":
    """A run's network, computed by torch as it was trained, or by another engine that is equal."""
    import numpy as np
    import torch

    from convatlas.runtime.auto import checked, fastest
    from convatlas.runtime.classifier import Classifier, Scores
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.export import make_card
    from convatlas.runtime.onnx_file import Form
    from convatlas.runtime.opened import in_batches, told
    from convatlas.runtime.sessions import Fed
    from convatlas.training.run import load_run
    from convatlas.workbench.export import trained_network

    if computing.threads:
        torch.set_num_threads(computing.threads)
    network = trained_network(load_run(folder))
    card = make_card(network, Form())
    name, compute = computing.engine or "torch", network.eager
    if computing.engine is not None:
        job = Job(network=network, batch=batch, threads=torch.get_num_threads())
        made = fastest(job, tell=tell).engine if name == AUTO else checked(name, job)
        compute = partial(in_batches, made, size=batch)

    def run(fed: Fed) -> Scores:
        return compute(fed.astype(np.float32, copy=False))

    return Classifier(card=card, run=told(network.name, name, run))
