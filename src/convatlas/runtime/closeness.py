"""How close two answers are."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def relative_error(found: Array, expected: Array) -> float:
    """Largest difference over the largest distance of an expected score from their mean.

    From the mean, as scores may all lie far from zero and close together (a radial basis output
    does), and dividing by their size would then hide any difference. Infinite for a wrong shape
    or a score that is no number.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    scale = float(np.abs(expected - expected.mean()).max())
    difference = float(np.abs(found - expected).max())
    if not scale:  # all scores are one number, which shows little: only the same number will do
        return float("inf") if difference else 0.0
    return difference / scale


def agreement(found: Array, expected: Array) -> float:
    """Share of pictures (or of pixels) with the same best class."""
    return float((found.argmax(1) == expected.argmax(1)).mean())
