from decimal import Decimal

import pytest

from convatlas.claims.units import half_unit, scale
from convatlas.errors import UserError


def test_scales() -> None:
    assert scale("million parameters") == 1_000_000
    assert scale("billion") == 10**9
    assert scale("Ki weights") == 1024
    assert scale("hundred million weights") == 10**8
    assert scale("parameters") == scale("") == scale("millions of years") == 1


@pytest.mark.parametrize(
    ("printed", "half"),
    [("3.8", "0.05"), ("11.30", "0.005"), ("138", "0.5"), ("0.0005", "0.00005")],
)
def test_half_a_unit_of_the_last_place(printed: str, half: str) -> None:
    assert half_unit(Decimal(printed)) == Decimal(half)


def test_whole_numbers_and_none() -> None:
    assert half_unit(650_000) == Decimal("0.5")
    with pytest.raises(UserError, match="NaN is no figure"):
        half_unit(Decimal("NaN"))
