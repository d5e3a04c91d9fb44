"""From a picture file to its most probable classes, on any engine; imports neither torch nor one.

A `Classifier` is a card (how pictures are prepared, what the classes are called) and a function
that runs prepared pictures. `convatlas.runtime.opened` makes one from a bundle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convatlas.data.decode import MOST_PIXELS, decode
from convatlas.errors import UserError
from convatlas.runtime.bundle import BundleCard, preparer

Pictures = NDArray[np.uint8]  # (N, C, side, side)
Scores = NDArray[np.float32]  # (N, classes)


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and the probability the network gives it."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """A network that classifies pictures. ``run`` takes what `prepare` makes, for any batch."""

    card: BundleCard
    run: Callable[[NDArray[np.float32] | Pictures], Scores]
    prepare: Callable[[Pictures], NDArray[np.float32] | Pictures] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        channels = self.card.input[1]
        if channels not in (1, 3):
            raise UserError(f"files are grey or RGB; {self.card.network} reads {channels} channels")
        if self.card.preparation is None:
            raise UserError(
                f"the bundle of {self.card.network} does not say how pictures are prepared; "
                "export it again"
            )
        # a mean picture is 150,000 numbers on the card, which every batch would wait for
        object.__setattr__(self, "prepare", preparer(self.card))

    def decode(self, source: Path | bytes, most: int = MOST_PIXELS) -> Pictures:
        """One picture (1, C, side, side) of at most so many pixels; raises `DecodeError`."""
        assert self.card.preparation
        channels, side = self.card.input[1], self.card.preparation.side
        return decode(source, channels=channels, size=side, most=most)[None]

    def probabilities(self, pictures: Pictures) -> Scores:
        """The probability of each class, (N, classes), of decoded pictures.

        Raises `UserError` for a network that gives something else than scores of classes.
        """
        scores = self.run(self.prepare(pictures))
        if scores.ndim != 2:
            raise UserError(
                "predicting is for classifiers, which give (pictures, classes); "
                f"{self.card.network} gives {' x '.join(map(str, scores.shape))}"
            )
        return softmax(scores)

    def best(self, probabilities: NDArray[np.float32], top: int) -> tuple[Guess, ...]:
        """The ``top`` most probable classes of one picture, most probable first."""
        order = best_first(probabilities, top)
        return tuple(Guess(self.label(i), i, float(probabilities[i])) for i in order)

    def label(self, index: int) -> str:
        """The name of a class, or its number where the bundle has no names."""
        labels: Sequence[str] = self.card.labels
        return labels[index] if index < len(labels) else str(index)


def best_first(probabilities: NDArray[np.float32], top: int) -> list[int]:
    """The ``top`` most probable classes by their index; of equals the first class comes first."""
    order: list[int] = np.argsort(-probabilities, kind="stable")[:top].tolist()
    return order


def softmax(scores: Scores) -> Scores:
    """Along the classes; the largest score is taken away first, so that nothing overflows.

    Scores that are no numbers give probabilities that are none.
    """
    with np.errstate(invalid="ignore"):
        raised = np.exp(scores - scores.max(1, keepdims=True))
        probabilities: Scores = raised / raised.sum(1, keepdims=True)
    return probabilities
