"""Which engine runs a bundle the fastest on this machine; imports no torch."""

import statistics
from pathlib import Path

import numpy as np

from convatlas.runtime.bundle import BundleCard, read_card
from convatlas.runtime.closeness import EQUAL, relative_error
from convatlas.runtime.extras import has
from convatlas.runtime.measure import Effort, Tell, measure, untold
from convatlas.runtime.opened import ENGINES, check_kind, open_classifier
from convatlas.runtime.remembered import circumstances, recall, remember
from convatlas.runtime.sessions import Fed
from convatlas.runtime.threads import check_threads, processors

SHORT = Effort(block=0.2, rounds=3)


def quickest(
    path: Path,
    *,
    threads: int | None = None,
    batch: int = 1,
    effort: Effort = SHORT,
    tell: Tell = untold,
) -> str:
    """The name of the engine to open the bundle with, measured once and then remembered.

    An engine that computes something else than ONNX Runtime, with which the bundle was compared
    when it was written, is no choice. ``tell`` hears what is being done. Raises `UserError`.
    """
    names = [name for name in ENGINES if has(name)]
    if len(names) < 2:
        return ENGINES[0]
    check_threads(threads)
    check_kind(path)
    card, model = read_card(path)
    content, shape = f"{model.CRC:08x} {model.file_size}", _shape(card, batch)
    known = circumstances(content, shape, threads or processors())
    kept = recall(known)  # before anything is opened, which takes longer than many a call
    if kept is not None and kept.engine in names:
        return kept.engine
    tell(f"opening it with {ENGINES[0]}")
    first = open_classifier(path, threads=threads, batch=batch)
    pixels = _pixels(card, shape)
    opened = {ENGINES[0]: first}
    expected = first.run(pixels)
    for name in names[1:]:
        tell(f"opening it with {name}")
        other = open_classifier(path, threads=threads, engine=name, batch=batch)
        if card.precision != "fp32" or relative_error(other.run(pixels), expected) <= EQUAL:
            opened[name] = other
    runs = {name: each.run for name, each in opened.items()}
    seconds = measure(runs, pixels, effort, tell)
    best = min(seconds, key=lambda name: statistics.median(seconds[name]))
    remember(known, best, statistics.median(seconds[best]))
    return best


def _shape(card: BundleCard, batch: int) -> tuple[int, ...]:
    """What the model reads; a size that is free is that of the preparation."""
    count, channels, height, width = card.input
    how = card.preparation
    side = (how.crop or how.side) if how else 0  # without one, opening says that it is missing
    return (count or batch, channels, height or side, width or side)


def _pixels(card: BundleCard, shape: tuple[int, ...]) -> Fed:
    """Random pictures as the model reads them."""
    drawn = np.random.default_rng(0)
    if card.fused:
        return drawn.integers(0, 256, shape, np.uint8)
    return drawn.standard_normal(shape, np.float32)
