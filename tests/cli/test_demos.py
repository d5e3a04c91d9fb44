"""The figures that the worked examples show."""

import pytest
from click.testing import CliRunner

from convatlas.cli import cli


@pytest.mark.parametrize(
    ("demo", "phrases"),
    [
        (
            "transposed",
            (
                "55   ·   2 1 2   =   110  55 110",
                "         1 2 1        55 110  55",
                "         1 1 2        55  55 110",
                "1 2 1 · 2 1 2 · 1 1 2 · · · · ·",
                "· · · · · 1 2 1 · 2 1 2 · 1 1 2",
                "convolution             2x2   55 52 60 56",
                "The shape is restored, the values are not: 0 of 16",
            ),
        ),
        ("gridding", ("5 → 9 → 13           49  169  gridding", "3 → 7 → 13          169  169")),
        ("inception", ("163,328  128,049,152", "442,368  346,816,512  2.71", "963,379,200  7.52")),
        ("reduction", ("442,368", "126,976", "3.5 times fewer")),
        ("factorise", ("3x3 + 3x3        64 → 64     18", "1x7 + 7x1        64 → 64     14")),
        ("pooling", ("55x55    2x2, stride 2  not overlapping             27           28",)),
        ("pooling", ("after: 5, 3, 7, 6   the same", "not the same")),
        ("pointwise", ("1x1     100 → 50     1    5,000", "pixel [4, 1, 3] → [10, -2]")),
    ],
)
def test_demos_show_their_figures(demo: str, phrases: tuple[str, ...]) -> None:
    text = CliRunner().invoke(cli, ["conv", "--demo", demo]).output
    for phrase in phrases:
        assert phrase in text
    assert max(map(len, text.split("\n"))) <= 100
