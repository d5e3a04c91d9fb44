"""Which engine runs a bundle the fastest on this machine; imports no torch."""

import statistics
import zipfile
from pathlib import Path

import numpy as np

from convatlas.runtime.bundle import MODEL
from convatlas.runtime.classifier import Classifier
from convatlas.runtime.closeness import EQUAL, relative_error
from convatlas.runtime.extras import has
from convatlas.runtime.measure import Effort, measure
from convatlas.runtime.opened import ENGINES, open_classifier, processors
from convatlas.runtime.remembered import circumstances, recall, remember
from convatlas.runtime.sessions import Fed

SHORT = Effort(block=0.2, rounds=3)


def quickest(
    path: Path,
    *,
    threads: int | None = None,
    batch: int = 1,
    effort: Effort = SHORT,
) -> str:
    """The name of the engine to open the bundle with, measured once and then remembered.

    An engine that computes something else than ONNX Runtime, with which the bundle was compared
    when it was written, is no choice. Raises `UserError`.
    """
    names = [name for name in ENGINES if has(name)]
    if len(names) < 2:
        return ENGINES[0]
    first = open_classifier(path, threads=threads, batch=batch)
    pixels = _pixels(first, batch)
    known = circumstances(_content(path), pixels.shape, threads or processors())
    kept = recall(known)
    if kept is not None and kept.engine in names:
        return kept.engine
    opened = {ENGINES[0]: first}
    expected = first.run(pixels)
    for name in names[1:]:
        other = open_classifier(path, threads=threads, engine=name, batch=batch)
        if first.card.precision != "fp32" or relative_error(other.run(pixels), expected) <= EQUAL:
            opened[name] = other
    runs = {name: each.run for name, each in opened.items()}
    seconds = measure(runs, pixels, effort)
    best = min(seconds, key=lambda name: statistics.median(seconds[name]))
    remember(known, best, statistics.median(seconds[best]))
    return best


def _pixels(classifier: Classifier, batch: int) -> Fed:
    """Random pictures as the model reads them; a free size is that of the preparation."""
    card = classifier.card
    assert card.preparation
    count, channels, height, width = card.input
    side = card.preparation.crop or card.preparation.side
    shape = (count or batch, channels, height or side, width or side)
    drawn = np.random.default_rng(0)
    if card.fused:
        return drawn.integers(0, 256, shape, np.uint8)
    return drawn.standard_normal(shape, np.float32)


def _content(path: Path) -> str:
    """The model's checksum and size, as the archive lists them."""
    with zipfile.ZipFile(path) as archive:
        model = archive.getinfo(MODEL)
        return f"{model.CRC:08x} {model.file_size}"
