"""How far a measured error can be trusted: intervals at 95 %."""

import math
import statistics
from dataclasses import dataclass

# Two-sided 95 % points of Student's t for 1, 2, … degrees of freedom (any table of it).
T_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
Z_95 = 1.96


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean over seeds and half the width of its 95 % interval (``nan`` for one seed)."""

    mean: float
    half_width: float


def mean_over_seeds(values: list[float]) -> Mean:
    """Student's interval for the mean of a few independent runs."""
    if len(values) < 2:
        return Mean(values[0], math.nan)
    degrees = len(values) - 1
    t = T_95[degrees - 1] if degrees <= len(T_95) else Z_95
    return Mean(statistics.fmean(values), t * statistics.stdev(values) / math.sqrt(len(values)))


def wilson(errors: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval for an error rate measured once on ``count`` pictures."""
    share, z2 = errors / count, Z_95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)
