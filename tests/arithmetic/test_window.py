from itertools import product

import pytest

from convatlas.arithmetic.size import lost_at_end
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "border", "ceil"),
    list(
        product((5, 8, 13), (1, 2, 3), (1, 2, 4), (1, 2), ((0, 0), (1, 1), (0, 2)), (False, True))
    ),
)
def test_unread_pixels_are_those_no_place_reads(
    size: int, kernel: int, stride: int, dilation: int, border: tuple[int, int], ceil: bool
) -> None:
    window = Window(kernel=kernel, stride=stride, dilation=dilation, border=border, ceil=ceil)
    seen = {pixel for place in range(window.output(size)) for pixel in window.read(place, size)}
    assert window.unread(size) == tuple(sorted(set(range(size)) - seen))


def test_the_last_column_of_eight_is_lost() -> None:
    window = Window(kernel=3, stride=2)
    assert window.unread(8) == (7,)
    assert [window.read(place, 8) for place in range(3)] == [(0, 1, 2), (2, 3, 4), (4, 5, 6)]


@pytest.mark.parametrize(("size", "stride"), list(product(range(3, 20), (1, 2, 3))))
def test_without_gaps_only_the_end_is_unread(size: int, stride: int) -> None:
    unread = Window(kernel=3, stride=stride).unread(size)
    assert len(unread) == lost_at_end(size, 3, stride)
    assert unread == tuple(range(size - len(unread), size))


def test_impossible_windows_are_refused() -> None:
    for given in ({"kernel": 0}, {"kernel": 1, "stride": 0}, {"kernel": 1, "dilation": 0}):
        with pytest.raises(UserError, match="must be 1 or more"):
            Window(**given)
    with pytest.raises(UserError, match="padding is -1"):
        Window(kernel=3, border=(0, -1))
