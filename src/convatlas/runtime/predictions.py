"""Predictions for a stream of picture files, as they are computed, in the order of the files."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from convatlas.data.decode import DecodeError, why_closed
from convatlas.runtime.classifier import Classifier, Guess, Pictures, Scores
from convatlas.runtime.sources import STDIN, Source, is_many


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network makes of one file: its best guesses, or why the file could not be read."""

    path: str
    guesses: tuple[Guess, ...]
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How pictures are classified.

    ``top``: guesses for each. ``invert``: each is turned into its negative, for dark ink on light
    paper where the training pictures have light ink on dark paper, as MNIST's have. ``batch``: how
    many are given to the network at once. ``workers``: threads that decode ahead of the network;
    without any, each batch is decoded before it is classified.
    """

    top: int = 3
    invert: bool = False
    batch: int = 1
    workers: int = 0


@dataclass(frozen=True, slots=True)
class _Decoded:
    source: Source
    pictures: Pictures | None  # (1, C, side, side)
    problem: str | None = None


def predictions(classifier: Classifier, found: Iterable[Source], way: Way) -> Generator[Prediction]:
    """One for each file; what is in memory does not grow with their number.

    Files that cannot be read come back with their reason. Raises `UserError` where the engine
    fails or the network gives no scores of classes.
    """

    def decode(source: Source) -> _Decoded:
        if source.problem:
            return _Decoded(source, None, source.problem)
        try:
            pictures = classifier.decode(source.path)
        except DecodeError as error:
            return _Decoded(source, None, error.reason)
        return _Decoded(source, ~pictures if way.invert else pictures)

    if way.workers:
        # not for a single picture: this brings logging with it
        from convatlas.runtime.ahead import ahead

        window = 2 * way.batch + way.workers  # the next batch is ready when one is done
        decoded: Iterator[_Decoded] = ahead(decode, found, workers=way.workers, window=window)
    else:
        decoded = map(decode, found)
    while group := list(islice(decoded, way.batch)):
        yield from _answers(classifier, group, way.top)


def without_network(arguments: Iterable[str]) -> list[Prediction] | None:
    """What comes of files that are named, if not one of them can be opened; else ``None``."""
    answers = []
    for argument in arguments:
        if argument == STDIN or is_many(argument) or not (why := why_closed(Path(argument))):
            return None
        answers.append(Prediction(str(Path(argument)), (), why))
    return answers


def _answers(classifier: Classifier, group: list[_Decoded], top: int) -> Iterator[Prediction]:
    """Those of one batch, in order."""
    pictures = [each.pictures for each in group if each.pictures is not None]
    rows: Iterator[Scores] = iter(())
    if pictures:
        rows = iter(classifier.probabilities(np.concatenate(pictures)))
    for each in group:
        path = str(each.source.path)
        if each.pictures is None:
            yield Prediction(path, (), each.problem)
            continue
        row = next(rows)
        if np.isfinite(row).all():
            yield Prediction(path, classifier.best(row, top))
        else:
            yield Prediction(path, (), "the network's scores of it are no numbers")
