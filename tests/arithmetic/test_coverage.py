from itertools import product

import pytest

from convatlas.arithmetic.coverage import coverage, paths, residues
from convatlas.arithmetic.field import field
from convatlas.arithmetic.stack import parse_stack
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError

STACKS = ["3 3 3", "3d2 3d2 3d2", "3d1 3d2 3d3", "5s2 3d2 2", "2s3 2d5", "1s2 3", "7s2 3s2 3d2 3"]


@pytest.mark.parametrize("text", STACKS)
def test_paths_are_those_of_brute_force(text: str) -> None:
    """Every choice of one tap for each layer is a path."""
    windows = [rows for rows, _ in parse_stack(text)]
    counts = [0] * field(windows).size
    for taps in product(*(range(window.kernel) for window in windows)):
        offset, jump = 0, 1
        for tap, window in zip(taps, windows, strict=True):
            offset += tap * window.dilation * jump
            jump *= window.stride
        counts[offset] += 1
    assert paths(windows) == tuple(counts)


@pytest.mark.parametrize(
    ("text", "read", "area", "gridding"),
    [
        ("3 3 3", 49, 49, False),
        ("3d2 3d2 3d2", 49, 169, True),
        ("3d1 3d2 3d3", 169, 169, False),
        ("3d2", 9, 25, True),
        ("3d2x1 3d2x1", 25, 45, True),
    ],
)
def test_shares(text: str, read: int, area: int, gridding: bool) -> None:
    seen = coverage(parse_stack(text))
    assert (seen.read, seen.area, seen.gridding) == (read, area, gridding)
    assert seen.share == read / area


def test_the_map_of_both_axes_is_the_product() -> None:
    seen = coverage(parse_stack("3x1d2 2"))
    assert seen.rows == (1, 1, 1, 1, 1, 1)
    assert seen.columns == (1, 1)
    counts = coverage(parse_stack("3 3")).counts()
    assert counts[0] == (1, 2, 3, 2, 1)
    assert counts[2] == (3, 6, 9, 6, 3)


def test_the_taps_of_three_dilations_of_two() -> None:
    ways = paths([Window(kernel=3, dilation=2)] * 3)
    read = [offset - 6 for offset, count in enumerate(ways) if count]
    assert read == [-6, -4, -2, 0, 2, 4, 6]


def test_a_stride_wider_than_its_kernel_skips_pixels_for_good() -> None:
    assert residues(paths([Window(kernel=2, stride=3)]), 3) == {0, 1}
    assert residues(paths([Window(kernel=3, stride=3)]), 3) == {0, 1, 2}


def test_a_field_too_wide_to_count_is_refused() -> None:
    with pytest.raises(UserError, match="counted up to 20,000"):
        paths([Window(kernel=3, stride=9999), Window(kernel=9999)])
