import pytest

from convatlas.arithmetic.checks import at_least, divided
from convatlas.errors import UserError


def test_numbers_below_the_least_are_named() -> None:
    at_least(1, {"kernel": 1, "stride": 2})
    with pytest.raises(UserError, match="stride is 0; it must be 1 or more"):
        at_least(1, {"kernel": 1, "stride": 0})


def test_groups_that_do_not_divide_are_refused_with_those_that_do() -> None:
    divided(3, 3, 30)
    with pytest.raises(UserError, match=r"the 4 output channels; .* it can be 1$"):
        divided(3, 3, 4)
    with pytest.raises(UserError, match=r"5 groups do not divide the 64 input .* 1, 2, 4, 8, 16"):
        divided(5, 64, 96)
    with pytest.raises(UserError, match=r"1, 2, 3, 4, 5, 6, 8, … or 120"):
        divided(7, 120, 120)
