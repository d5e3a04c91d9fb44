import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_bundle import Tiny, tiny_card

from convatlas.errors import UserError
from convatlas.runtime import bundle
from convatlas.runtime.bundle import Figures
from convatlas.runtime.classifier import Classifier, Guess, softmax

PLAIN = Tiny()


def classifier(tiny: Tiny = PLAIN, scores: NDArray[np.float32] | None = None) -> Classifier:
    return Classifier(
        card=tiny_card(tiny), run=lambda fed: tiny.scores(fed) if scores is None else scores
    )


def test_softmax_is_that_of_the_definition_and_does_not_overflow() -> None:
    scores = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32)
    wide = scores.astype(np.float64)
    expected = np.exp(wide) / np.exp(wide).sum(1, keepdims=True)
    np.testing.assert_allclose(softmax(scores), expected, rtol=1e-6)
    shifted = softmax(scores + np.float32(1000))
    np.testing.assert_allclose(shifted, expected, rtol=1e-3)  # 1000 leaves 4 digits after the point
    assert np.isnan(softmax(np.full((1, 2), np.inf, np.float32))).all()


def test_the_best_come_first_and_equals_in_their_order() -> None:
    row = np.array([0.1, 0.4, 0.4, 0.1], np.float32)
    made = classifier(Tiny(labels=("a", "b", "c")))
    found = made.best(row, 3)
    assert [g.label for g in found] == ["b", "c", "a"]
    assert found[0] == Guess("b", 1, pytest.approx(0.4))
    assert [g.label for g in made.best(row, 100)] == ["b", "c", "a", "3"]  # has no name


@pytest.mark.parametrize("channels", [2, 4, 16])
def test_files_are_grey_or_rgb(channels: int) -> None:
    with pytest.raises(UserError, match=f"files are grey or RGB; tiny reads {channels} channels"):
        classifier(Tiny(channels=channels))


def test_scores_that_are_no_classes_are_refused() -> None:
    made = classifier(scores=np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(UserError, match=r"for classifiers.*; tiny gives 1 x 3 x 8 x 8"):
        made.probabilities(np.zeros((1, 3, 8, 8), np.uint8))


def test_the_figures_of_the_card_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mean picture of ImageNet's size is 150,000 numbers."""
    asked, real = [], bundle.array

    def counted(figures: Figures) -> NDArray[np.float32]:
        asked.append(figures)
        return real(figures)

    monkeypatch.setattr(bundle, "array", counted)
    made = classifier()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8), np.uint8)
    first = made.probabilities(pictures)
    np.testing.assert_array_equal(made.probabilities(pictures), first)
    assert len(asked) == 2  # mean and deviation
    np.testing.assert_array_equal(made.prepare(pictures), bundle.prepare(made.card, pictures))
