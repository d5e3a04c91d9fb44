"""How close two answers are."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

EQUAL = 1e-4  # relative error up to which two float32 computations are taken for the same


def relative_error(found: Array, expected: Array) -> float:
    """Largest difference over the largest distance of an expected score from their mean.

    From the mean, as scores may all lie far from zero and close together (a radial basis output
    does), and dividing by their size would then hide any difference. Infinite for a wrong shape,
    and where a score of either is no finite number, even the same one: beside an infinite score
    every difference is small, and no score that is none shows two networks to be equal. Never NaN.
    """
    if found.shape != expected.shape:
        return float("inf")
    if not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return float("inf")
    wanted = expected.astype(np.float64)  # in float32 a sum of large scores may be infinite
    scale = float(np.abs(wanted - wanted.mean()).max())
    difference = float(np.abs(found - wanted).max())
    if not scale:  # all scores are one number, which shows little: only the same number will do
        return float("inf") if difference else 0.0
    return difference / scale


def agreement(found: Array, expected: Array) -> float:
    """Share of pictures (or of pixels) with the same best class."""
    return float((found.argmax(1) == expected.argmax(1)).mean())
