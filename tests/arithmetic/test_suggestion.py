from itertools import product

import pytest

from convatlas.arithmetic.coverage import coverage, paths
from convatlas.arithmetic.field import field
from convatlas.arithmetic.stack import parse_stack, stack_text
from convatlas.arithmetic.suggestion import closed, suggest
from convatlas.arithmetic.window import Window


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("3d2 3d2 3d2", "3 3d2 3d3"),
        ("3d4 3d4 3d4", "3 3d3 3d8"),
        ("3d2", "3"),
        ("3d9 3d9", "3 3d3"),
        ("3d2p2 3d2p2 3d2p2", "3p1 3d2p2 3d3p3"),
        ("3d2x1 3d2x1", "3 3d3x1"),
        ("3s2 1d7 3d4", "3s2 1d7 3"),
    ],
)
def test_known_stacks(text: str, better: str) -> None:
    found = suggest(parse_stack(text))
    assert found is not None
    assert stack_text(found) == better
    assert not coverage(found).gridding


@pytest.mark.parametrize("kernels", list(product((2, 3, 5), repeat=3)))
@pytest.mark.parametrize("dilations", [(2, 2, 2), (4, 1, 3), (1, 4, 2), (3, 3, 1)])
def test_as_large_as_any_choice_without_holes(
    kernels: tuple[int, ...], dilations: tuple[int, ...]
) -> None:
    """Against all dilations up to 14: none that leaves no holes comes nearer to the field."""
    windows = tuple(map(window, kernels, dilations))
    wanted = field(windows).size
    best = max(
        size
        for choice in product(range(1, 15), repeat=3)
        if min(choice) == 1  # or the pixel beside the first would be a hole
        if (size := field(map(window, kernels, choice)).size) <= wanted
        if 0 not in paths(map(window, kernels, choice))
    )
    found = closed(windows)
    assert found is not None
    assert 0 not in paths(found)
    assert field(found).size == best


def window(kernel: int, dilation: int) -> Window:
    return Window(kernel=kernel, dilation=dilation)


@pytest.mark.parametrize("text", ["3 3 3", "3d1 3d2 3d3", "1s2 3", "3d200 3d200"])
def test_none_is_needed_or_to_be_had(text: str) -> None:
    assert suggest(parse_stack(text)) is None
