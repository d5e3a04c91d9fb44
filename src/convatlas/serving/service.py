"""A classifier in service: decoding in threads, batches for the engine, and what bounds them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from convatlas.runtime.classifier import Classifier, Pictures
from convatlas.serving.answers import Model, model
from convatlas.serving.batcher import Batcher
from convatlas.serving.body import budget
from convatlas.serving.budget import Budget
from convatlas.serving.decode_pool import DecodePool
from convatlas.serving.limits import Limits
from convatlas.serving.metrics import Metrics

# Seconds of a batch that hold nobody up. Handing it to a thread takes 0.02 ms where threads wake up
# fast, and ten times that on many virtual machines.
QUICK = 0.002

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All that answering needs. ``stopping``: whether the server has been told to stop."""

    classifier: Classifier
    model: Model
    limits: Limits
    token: str | None
    stopping: Callable[[], bool]
    batcher: Batcher[Pictures, Probabilities]
    metrics: Metrics
    budget: Budget
    decoders: DecodePool = field(repr=False)


def service(
    classifier: Classifier,
    limits: Limits,
    *,
    engine: str,
    threads: int = 1,
    token: str | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Service:
    """A classifier warmed at the sizes of batch it will meet, and ready to serve.

    ``threads``: that decode pictures.
    """
    card = classifier.card
    if card.input[0] is not None:  # exported for one size of batch
        limits = replace(limits, max_batch=min(limits.max_batch, card.input[0]))
    num_classes, seconds = warm(classifier, limits.max_batch)
    metrics = Metrics()

    def run(pictures: Sequence[Pictures]) -> list[Probabilities]:
        return list(classifier.probabilities(np.concatenate(pictures)))

    batcher: Batcher[Pictures, Probabilities] = Batcher(
        run,
        most=limits.max_batch,
        wait=limits.max_wait,
        places=limits.queue,
        quick=seconds <= QUICK,
        observe=metrics.batch_ran,
    )
    metrics.queue.set_function(lambda: batcher.held)
    return Service(
        classifier=classifier,
        model=model(card, engine, num_classes),
        limits=limits,
        token=token,
        stopping=stopping,
        batcher=batcher,
        metrics=metrics,
        budget=budget(limits),
        decoders=DecodePool(classifier.decode, limits.max_pixels, threads),
    )


def warm(classifier: Classifier, most: int) -> tuple[int, float]:
    """Run batches of 1, 2, 4 … ``most``; the number of classes, and seconds of the largest."""
    assert classifier.card.preparation
    side = classifier.card.preparation.side
    size = 1
    while True:
        pictures = np.zeros((size, classifier.card.input[1], side, side), np.uint8)
        num_classes = classifier.probabilities(pictures).shape[1]
        if size == most:
            return num_classes, min(_seconds(classifier, pictures) for _ in range(3))
        size = min(2 * size, most)


def _seconds(classifier: Classifier, pictures: Pictures) -> float:
    started = time.perf_counter()
    classifier.probabilities(pictures)
    return time.perf_counter() - started
