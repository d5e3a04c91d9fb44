import numpy as np
import pytest

from convatlas.runtime.closeness import agreement, relative_error


def test_error_is_measured_against_the_spread_of_the_scores() -> None:
    far = np.array([[100.0, 101.0, 102.0]], np.float32)
    off = far + np.array([[0, 0, 0.01]], np.float32)
    np.testing.assert_allclose(relative_error(off, far), 0.01, rtol=1e-3)
    assert relative_error(far, far) == 0


def test_what_cannot_be_compared_is_infinitely_wrong() -> None:
    scores = np.ones((2, 3), np.float32)
    assert relative_error(scores[:1], scores) == float("inf")
    assert relative_error(scores * np.float32("nan"), scores) == float("inf")


def test_agreement_counts_best_classes() -> None:
    one = np.eye(4, dtype=np.float32)
    other = one.copy()
    other[0] = other[1]
    assert agreement(other, one) == 0.75


def test_where_all_scores_are_one_number_only_that_number_is_equal() -> None:
    scores = np.full((2, 3), 5.0, np.float32)
    assert relative_error(scores, scores) == 0
    assert relative_error(scores + 1, scores) == float("inf")


@pytest.mark.parametrize("odd", ["nan", "inf", "-inf"])
def test_nothing_equals_a_score_that_is_no_number(odd: str) -> None:
    scores = np.eye(3, dtype=np.float32)
    spoilt = scores.copy()
    spoilt[1, 2] = float(odd)
    assert relative_error(scores, spoilt) == float("inf")
    assert relative_error(spoilt, scores) == float("inf")
    assert relative_error(spoilt, spoilt) == float("inf")


def test_scores_near_the_end_of_float32_are_told_apart() -> None:
    scores = np.array([[3e38, 3e38, 1e38]], np.float32)
    assert relative_error(scores, scores) == 0
    assert relative_error(-scores, scores) > 1
