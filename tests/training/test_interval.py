import math

import pytest

from convatlas.training.interval import mean_over_seeds, wilson


def test_wilson_against_the_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3: 15 of 148 is 0.0624 to 0.1605.
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(0, 20)[1] == pytest.approx(0.1611, abs=1e-4)


def test_mean_over_seeds_by_hand() -> None:
    # 1, 2, 3: mean 2, deviation 1, t(2) = 4.303, so 4.303 / sqrt(3)
    result = mean_over_seeds([1.0, 2.0, 3.0])
    assert result.mean == 2.0
    assert result.half_width == pytest.approx(4.303 / math.sqrt(3))
    assert math.isnan(mean_over_seeds([1.0]).half_width)
