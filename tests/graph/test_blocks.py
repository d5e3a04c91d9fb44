"""Rectangles against the pixels row by row."""

import random

import pytest

from convatlas.graph.blocks import FEW, Blocks, holds
from convatlas.graph.pixels import Line, Pixels, divided, moved, through
from convatlas.graph.window import Window

WAYS = (
    through(Window(3, 1, 1, 1, 1)),
    through(Window(3, 2, 1, 1, 2)),
    through(Window(1, 2, 0, 0, 1)),
    moved(3, 2),
    divided(40, 12),
)


def cells(pixels: Pixels) -> set[tuple[int, int]]:
    return {(row, column) for row, line in pixels.rows.items() for column in line}


def rectangle(draw: random.Random) -> tuple[Line, Line]:
    first, second = (
        Line(draw.randrange(1, 1 << draw.randrange(1, 12)), draw.randrange(6)) for _ in range(2)
    )
    return first, second


@pytest.mark.parametrize("seed", range(60))
def test_everything_is_done_as_on_pixels(seed: int) -> None:
    draw = random.Random(seed)
    pixels, blocks = Pixels({}), Blocks(())
    for _ in range(draw.choice((1, 2, 3, 8, 3 * FEW))):
        part = rectangle(draw)
        pixels = pixels.joined(Pixels.block(*part))
        blocks = blocks.joined(Blocks((part,)))
    assert cells(blocks.pixels) == cells(pixels) == cells(Blocks.of(pixels).pixels)
    vertical, horizontal = draw.choice(WAYS), draw.choice(WAYS)
    assert cells(blocks.back(vertical, horizontal).pixels) == cells(
        pixels.back(vertical, horizontal)
    )
    assert cells(blocks.within(7, 5).pixels) == cells(pixels.within(7, 5))


@pytest.mark.parametrize("seed", range(200))
def test_one_holds_the_other_if_all_its_pixels_are_there(seed: int) -> None:
    draw = random.Random(seed)
    one, other = rectangle(draw), rectangle(draw)
    if draw.random() < 0.6:
        other = (Line(one[0].bits & draw.randrange(1 << 12) or 1, one[0].first), one[1])
    both = (cells(Pixels.block(*each)) for each in (one, other))
    larger, smaller = both
    assert holds(one, other) == (smaller <= larger)


def test_what_is_held_is_dropped() -> None:
    wide, narrow = (Line.span(9), Line.span(9)), (Line(1, 4), Line(1, 4))
    assert Blocks((narrow,)).joined(Blocks((wide,))).parts == (wide,)
    assert Blocks((wide,)).joined(Blocks((narrow,))).parts == (wide,)
    assert Blocks((narrow,)).within(2, 2).parts == ()
