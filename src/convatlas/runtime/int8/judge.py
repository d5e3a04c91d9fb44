"""Whether an int8 network may stand for its float32 original, by pictures it was not fitted to."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convatlas.runtime.bundle import BundleCard, prepare
from convatlas.runtime.closeness import agreement, relative_error
from convatlas.runtime.int8.sample import Sample
from convatlas.runtime.network import Array
from convatlas.runtime.sessions import Fed, Run

Z_95 = 1.96
BATCH = 16
AGREEMENT = 0.97
MOSTLY = 0.5  # right in float32: less is too little to trust an order of classes that nobody said


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much worse int8 may be, as shares: what is lost of the accuracy where that tells.

    ``min_agreement``: share of pictures whose best class stays; by default asked for only where
    the accuracy does not tell. Where it does, none is needed, as answers spoilt at random would
    lose more than ``max_drop``; and none should be, as a wrong answer may change into another
    wrong one.
    """

    max_drop: float = 0.01
    min_agreement: float | None = None

    @property
    def floor(self) -> float:
        """The least agreement where the accuracy does not tell."""
        return AGREEMENT if self.min_agreement is None else self.min_agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Counts over the judged pictures; of right ones ``None`` where labels are not known.

    ``lost``: right in float32 and wrong in int8; ``won``: the other way round. ``error``: mean
    over pictures of the largest difference of a score, relative as in `relative_error`; ``worst``:
    the largest of all. ``blind``: the accuracy that may come about though the scores mean nothing.
    """

    count: int
    agreement: float
    error: float
    worst: float
    right: int | None = None  # of the original
    lost: int = 0
    won: int = 0
    blind: float = 0.0

    @property
    def accuracy(self) -> float | None:
        """Of the original."""
        return None if self.right is None else self.right / self.count

    @property
    def drop(self) -> float | None:
        """What int8 loses of it."""
        return None if self.right is None else (self.lost - self.won) / self.count

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the drop for paired answers (Agresti and Min 2005).

        Wald's with half a picture added to each cell of the two-by-two table: it has a width even
        where not one picture changed sides.
        """
        if self.right is None:
            return None
        count, lost, won = self.count + 2, self.lost + 0.5, self.won + 0.5
        centre = (lost - won) / count
        half = Z_95 * math.sqrt(lost + won - (lost - won) ** 2 / count) / count
        return max(-1.0, centre - half), min(1.0, centre + half)

    def loss(self, limits: Limits) -> float | None:
        """The drop, where it tells: where spoilt answers could not have so small a one.

        That is where the accuracy of the original, by the lower end of its 95 % interval, is so
        far above ``blind`` that falling to that would be refused.
        """
        if self.right is None or _least(self.right, self.count) <= self.blind + limits.max_drop:
            return None
        return self.drop

    def passes(self, limits: Limits) -> bool:
        """Whether it is good enough."""
        if not math.isfinite(self.error):
            return False
        loss = self.loss(limits)
        if loss is None:
            return self.agreement >= limits.floor
        return loss <= limits.max_drop and self.agreement >= (limits.min_agreement or 0.0)


@dataclass(frozen=True, slots=True)
class Feeds:
    """The calibrating pictures one by one as the network reads them, as often as asked for."""

    sample: Sample
    card: BundleCard
    most: int | None = None

    def __len__(self) -> int:
        return len(self.sample.calibrating[: self.most])

    def __iter__(self) -> Iterator[Fed]:
        for place in range(len(self)):
            yield prepare(self.card, self.sample.calibrating[place : place + 1])


def judge(run: Run, original: Run, sample: Sample, card: BundleCard) -> Judgement:
    """Feed both the judged pictures, prepared as the card says, a few at a time."""
    batch = BATCH if card.input[0] is None else 1
    agreed, errors, classes = 0.0, list[float](), 1
    right, lost, won = 0, 0, 0
    for start in range(0, len(sample.judged), batch):
        fed = prepare(card, sample.judged[start : start + batch])
        expected, found = original(fed), run(fed)
        agreed += len(fed) * agreement(found, expected)
        errors += map(relative_error, found, expected)
        if sample.labels is not None:
            labels = sample.labels[start : start + batch]
            before, after = _right(expected, labels), _right(found, labels)
            classes = expected.shape[1]
            right += int(before.sum())
            lost += int((before & ~after).sum())
            won += int((after & ~before).sum())
    count = len(sample.judged)
    return Judgement(
        count=count,
        agreement=agreed / count,
        error=sum(errors) / count,
        worst=max(errors),
        right=None if sample.labels is None else right,
        lost=lost,
        won=won,
        blind=_blind(sample, classes),
    )


def _blind(sample: Sample, classes: int) -> float:
    """What guessing gives, or always the commonest class; or labels that are in another order."""
    if sample.labels is None:
        return 0.0
    commonest = float(np.bincount(sample.labels).max()) / len(sample.labels)
    return max(1 / classes, commonest, MOSTLY if sample.by_number else 0.0)


def _least(right: int, count: int) -> float:
    """The lower end of Wilson's 95 % interval of an accuracy."""
    share, z2 = right / count, Z_95**2
    half = Z_95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return (share + z2 / (2 * count) - half) / (1 + z2 / count)


def _right(scores: Array, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = scores.argmax(1) == labels
    return right
