import dataclasses
import math

import msgspec
import numpy as np
import pytest

from convatlas.runtime.bundle import BundleCard, Figures, Preparation
from convatlas.runtime.int8.judge import Feeds, Judgement, Limits, judge
from convatlas.runtime.int8.sample import Sample

ONE, HALF = (Figures(shape=(1, 1, 1), values=(value,)) for value in (1.0, 0.0))
CARD = BundleCard(
    network="made up",
    input=(None, 1, 2, 2),
    preparation=Preparation(side=2, mean=HALF, deviation=ONE),
    opset=20,
)


def made(count: int, labels: np.ndarray | None) -> Sample:
    """Pictures that say their number in every pixel."""
    pictures = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2), np.uint8)
    return Sample(
        data="made up", part="all", calibrating=pictures[:7], judged=pictures, labels=labels
    )


def scores(answers: np.ndarray, classes: int = 3):  # type: ignore[no-untyped-def]
    """A network whose best class for picture n is ``answers[n]``."""

    def run(fed: np.ndarray) -> np.ndarray:
        number = np.rint(fed[:, 0, 0, 0] * 255).astype(int)
        return np.eye(classes, dtype=np.float32)[answers[number]]

    return run


def test_counts_of_answers() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0] * 10)
    before, after = labels.copy(), labels.copy()
    before[:5] = (before[:5] + 1) % 3  # five wrong before, of which two become right
    after[:3] = (after[:3] + 1) % 3
    after[90:94] = (after[90:94] + 1) % 3  # four right before, wrong after
    found = judge(scores(after), scores(before), made(100, labels), CARD)
    assert (found.count, found.right, found.lost, found.won) == (100, 95, 4, 2)
    assert found.agreement == pytest.approx(0.94)
    assert found.accuracy == pytest.approx(0.95)
    assert found.drop == pytest.approx(0.02)
    assert found.error == pytest.approx(0.06 * found.worst)
    one_by_one = msgspec.structs.replace(CARD, input=(1, 1, 2, 2))
    assert judge(scores(after), scores(before), made(100, labels), one_by_one) == found


def test_without_labels_only_agreement_is_known() -> None:
    answers = np.zeros(20, int)
    found = judge(scores(answers), scores(answers), made(20, None), CARD)
    assert found.agreement == 1
    assert found.accuracy is found.drop is found.interval is None


def test_scores_that_are_no_numbers_never_pass() -> None:
    answers = np.zeros(20, int)
    found = judge(
        lambda fed: np.full((len(fed), 3), np.nan, np.float32),
        scores(answers),
        made(20, answers),
        CARD,
    )
    assert not found.passes(Limits(max_drop=1.0, min_agreement=0.0))


@pytest.mark.parametrize(
    ("lost", "won", "agreement", "limits", "passes"),
    [
        (10, 0, 0.90, Limits(), True),  # exactly one point of a thousand pictures
        (11, 0, 0.99, Limits(), False),
        (11, 0, 0.99, Limits(max_drop=0.02), True),
        (0, 0, 0.90, Limits(min_agreement=0.95), False),
        (0, 5, 0.95, Limits(max_drop=0.0), True),
    ],
)
def test_limits_where_accuracy_is_known(
    lost: int, won: int, agreement: float, limits: Limits, passes: bool
) -> None:
    found = Judgement(
        count=1000, agreement=agreement, error=0.1, worst=0.2, right=900, lost=lost, won=won
    )
    assert found.passes(limits) == passes


OTHER_ORDER = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9, 1])  # one of ten classes in its place
TEN = np.arange(250) % 10


def test_spoilt_answers_fail_where_the_classes_are_in_another_order() -> None:
    """Both are right in a tenth of pictures, so nothing seems lost."""
    spoilt = np.random.default_rng(0).permutation(TEN)
    found = judge(scores(spoilt, 10), scores(OTHER_ORDER[TEN], 10), made(250, TEN), CARD)
    assert found.accuracy == 0.1
    assert found.drop is not None
    assert found.drop <= 0.01
    assert found.agreement < 0.2
    assert found.loss(Limits()) is None
    assert not found.passes(Limits())
    assert found.passes(Limits(min_agreement=0.0))  # who asks for nothing gets it


def test_spoilt_answers_fail_where_one_class_is_common() -> None:
    """Always the commonest class is right in 90 %."""
    labels = (np.arange(250) % 10 == 0).astype(int)
    original = labels.copy()
    original[:60:10] = 0
    found = judge(scores(np.zeros(250, int)), scores(original), made(250, labels), CARD)
    assert (found.accuracy, found.blind) == (0.976, 0.9)
    assert not found.passes(Limits(max_drop=0.08))


@pytest.mark.parametrize(
    ("swapped", "by_number", "known"), [(3, True, True), (6, True, False), (6, False, True)]
)
def test_an_order_that_nobody_said_is_trusted_if_most_are_right(
    swapped: int, by_number: bool, known: bool
) -> None:
    order = np.concatenate((np.roll(np.arange(swapped), 1), np.arange(swapped, 10)))
    sample = dataclasses.replace(made(250, TEN), by_number=by_number)
    answers = scores(order[TEN], 10)
    found = judge(answers, answers, sample, CARD)
    assert found.accuracy == pytest.approx(1 - swapped / 10)
    assert found.loss(Limits()) == (0 if known else None)


@pytest.mark.parametrize(
    ("blind", "max_drop", "known"),
    [(0.2552, 0, True), (0.2554, 0, False), (0.2452, 0.01, True), (0.2454, 0.01, False)],
)
def test_accuracy_tells_if_its_interval_lies_above(
    blind: float, max_drop: float, known: bool
) -> None:
    """Newcombe (1998), table I: Wilson's interval of 81 of 263 is 0.2553 to 0.3662."""
    found = Judgement(count=263, agreement=0.5, error=0.1, worst=0.2, right=81, blind=blind)
    limits = Limits(max_drop=max_drop)
    assert found.loss(limits) == (0 if known else None)
    assert found.passes(limits) == known


@pytest.mark.parametrize(
    ("agreement", "limits", "passes"),
    [
        (0.97, Limits(), True),
        (0.969, Limits(), False),
        (0.5, Limits(min_agreement=0.5), True),
    ],
)
def test_limits_where_it_is_not(agreement: float, limits: Limits, passes: bool) -> None:
    found = Judgement(count=100, agreement=agreement, error=0.1, worst=0.2)
    assert found.passes(limits) == passes


def test_the_interval_covers_the_true_drop() -> None:
    """Drawn many times, it holds the truth in 95 % of draws (two points of leeway either way)."""
    rng, truth, held = np.random.default_rng(0), 0.01, 0
    draws = rng.multinomial(1000, [0.02, 0.01, 0.97], size=4000)
    for lost, won, _ in draws:
        found = Judgement(
            count=1000, agreement=0.97, error=0, worst=0, right=900, lost=int(lost), won=int(won)
        )
        assert found.interval
        held += found.interval[0] <= truth <= found.interval[1]
    assert 0.93 <= held / len(draws) <= 0.97


def test_the_interval_has_a_width_where_nothing_changed() -> None:
    found = Judgement(count=100, agreement=1, error=0, worst=0, right=90)
    assert found.interval is not None
    low, high = found.interval
    assert high == -low == pytest.approx(1.96 / 102)


def test_feeds_are_prepared_one_by_one_and_again() -> None:
    feeds = Feeds(made(100, None), CARD, 5)
    first = [float(fed[0, 0, 0, 0]) for fed in feeds]
    assert first == pytest.approx([n / 255 for n in range(5)])
    assert [float(fed[0, 0, 0, 0]) for fed in feeds] == first
    assert len(feeds) == 5
    assert len(Feeds(made(100, None), CARD)) == 7
    assert math.prod(next(iter(feeds)).shape) == 4
