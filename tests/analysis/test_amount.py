import pytest

from convatlas.analysis.amount import amount


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9_994, "9.99 kB"),
        (9_996, "10.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (243_860_896, "244 MB"),
        (2_323_200, "2.32 MB"),
        (1_500_000_000_000, "1.50 TB"),
        (1_500_000_000_000_000, "1,500 TB"),
    ],
)
def test_three_digits_and_a_unit(count: int, text: str) -> None:
    assert amount(count) == text
