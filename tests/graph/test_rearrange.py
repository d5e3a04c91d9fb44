import itertools
import random

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.graph.operation import Measure, ShapeError
from convatlas.graph.rearrange import (
    Concat,
    Expand,
    Flatten,
    Pad,
    Permute,
    PixelShuffle,
    Reduce,
    Resize,
    Roll,
    Select,
    Slice,
    Squeeze,
    Unsqueeze,
    View,
)
from convatlas.graph.sizes import Formula, SizeOf


def empty(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


BOUNDS = (None, -9, -3, -1, 0, 1, 2, 4, 5, 9)


def test_every_slice_as_python_cuts_it() -> None:
    """Bounds from far before the axis to far behind it, three steps: 300 slices of 5."""
    for start, stop, step in itertools.product(BOUNDS, BOUNDS, (1, 2, 3)):
        expected = len(range(5)[slice(start, stop, step)])
        cut = Slice(axis=1, start=start or 0, stop=stop, step=step)
        assert cut.measure(((2, 5, 3),)) == Measure((2, expected, 3), 0, 0), (start, stop, step)


def test_slices_of_axes_from_the_end() -> None:
    assert Slice(axis=-1, start=1, stop=None).measure(((2, 5, 3),)).shape == (2, 5, 2)


@pytest.mark.parametrize("seed", range(60))
def test_padding_and_cutting_borders(seed: int) -> None:
    draw = random.Random(seed)
    axes = draw.randint(1, 3)
    flat = [draw.randint(-4, 3) for _ in range(2 * axes)]
    widths = tuple((flat[i], flat[i + 1]) for i in range(0, len(flat), 2))[::-1]
    shape = (2, *(draw.randint(2, 6) for _ in range(3)))
    try:
        made = tuple(F.pad(empty(*shape), flat).shape)
        assert 0 not in made
    except (RuntimeError, AssertionError):
        with pytest.raises(ShapeError, match="nothing is left"):
            Pad(widths=widths).measure((shape,))
        return
    assert Pad(widths=widths).measure((shape,)) == Measure(made, 0, torch.Size(made).numel())


def test_borders_taken_from_the_inside_need_one() -> None:
    for mode, most in (("reflect", 3), ("circular", 4), ("replicate", 9)):
        pad = Pad(widths=((most, 0),), mode=mode)
        expected = F.pad(empty(1, 1, 4), (most, 0), mode).shape
        assert pad.measure(((1, 1, 4),)).shape == tuple(expected)
        if most == 9:
            continue
        with pytest.raises(RuntimeError):
            F.pad(empty(1, 1, 4), (most + 1, 0), mode)
        with pytest.raises(ShapeError, match=f"1×1×4 is too small for a {mode} border"):
            Pad(widths=((most + 1, 0),), mode=mode).measure(((1, 1, 4),))


VIEWS = [(24,), (-1,), (2, -1), (-1, 3, 2), (2, 3, 4), (1, -1, 24), (4, 3, 2, 1)]


@pytest.mark.parametrize("sizes", VIEWS)
def test_views(sizes: tuple[int, ...]) -> None:
    expected = empty(2, 3, 4).view(sizes)
    assert View(sizes=sizes).measure(((2, 3, 4),)) == Measure(tuple(expected.shape), 0, 0)


@pytest.mark.parametrize("sizes", [(5, -1), (23,), (-1, 0), (2, 3, 5)])
def test_views_that_do_not_fit(sizes: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError):
        empty(2, 3, 4).view(sizes)
    with pytest.raises(ShapeError, match="cannot see 2×3×4 as "):
        View(sizes=sizes).measure(((2, 3, 4),))


def test_sizes_taken_from_other_tensors() -> None:
    half = Formula("//", SizeOf(1, 0), 2)
    assert View(sizes=(half, -1)).measure(((2, 3, 4), (6, 9))).shape == (3, 8)


def test_axes_in_another_order_joined_and_added() -> None:
    shape, tensor = (2, 3, 4, 5), empty(2, 3, 4, 5)
    for first, last in itertools.combinations(range(-4, 4), 2):
        if first % 4 <= last % 4:
            expected = tuple(tensor.flatten(first, last).shape)
            assert Flatten(first=first, last=last).measure((shape,)).shape == expected
    for order in itertools.permutations(range(4)):
        assert Permute(order=order).measure((shape,)).shape == tuple(tensor.permute(order).shape)
    for axis in range(-5, 5):
        expected = tuple(tensor.unsqueeze(axis).shape)
        assert Unsqueeze(axis=axis).measure((shape,)).shape == expected
    for axis, index in itertools.product(range(-4, 4), (-2, 0, 1)):
        expected = tuple(tensor.select(axis, index).shape)
        assert Select(axis=axis, index=index).measure((shape,)).shape == expected


def test_squeezing_keeps_longer_axes() -> None:
    assert Squeeze(axes=(1, -1, 2)).measure(((2, 1, 3, 1),)).shape == (2, 3)


def test_a_position_that_is_not_there() -> None:
    for index in (3, -4):
        with pytest.raises(ShapeError, match=f"no position {index} on an axis of 3"):
            Select(axis=1, index=index).measure(((2, 3),))


def test_expanding() -> None:
    assert Expand(sizes=(-1, 3, 4)).measure(((2, 1, 4),)) == Measure((2, 3, 4), 0, 0)
    assert Expand(sizes=(5, 2, 3)).measure(((1, 3),)).shape == (5, 2, 3)
    with pytest.raises(ShapeError, match="cannot stretch 2×3 to 2×4"):
        Expand(sizes=(2, 4)).measure(((2, 3),))


def test_joining() -> None:
    shapes = ((2, 3, 4), (2, 5, 4), (2, 1, 4))
    for axis in (1, -2):
        assert Concat(axis=axis).measure(shapes) == Measure((2, 9, 4), 0, 72)
    with pytest.raises(ShapeError, match="cannot join 2×3 and 2×4 along axis 0: the other axes"):
        Concat(axis=0).measure(((2, 3), (2, 4)))
    with pytest.raises(ShapeError, match="cannot join"):
        Concat(axis=0).measure(((2, 3), (2, 3, 1)))


def test_reducing() -> None:
    shape, tensor = (2, 3, 4), empty(2, 3, 4)
    for axes in ((0,), (-1,), (0, 2), (1, -1), (0, 1, 2)):
        for keep in (False, True):
            expected = tuple(tensor.sum(axes, keepdim=keep).shape)
            found = Reduce(function="sum", axes=axes, keep=keep).measure((shape,))
            assert found == Measure(expected, 0, 24)
    with pytest.raises(ShapeError, match="nothing is left to reduce: given 2×0"):
        Reduce(function="max", axes=(1,)).measure(((2, 0),))


def test_rolling_copies() -> None:
    assert Roll(shifts=(1,), axes=(1,)).measure(((2, 3),)) == Measure((2, 3), 0, 6)


FACTORS = (0.1, 0.3, 0.5, 1 / 3, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_resizing_by_factors_as_torch_rounds(mode: str) -> None:
    for factor, size in itertools.product(FACTORS, (1, 3, 7, 10, 30, 224)):
        operation = Resize(mode=mode, sizes=None, factors=(factor, 2.0))
        try:
            expected = F.interpolate(empty(1, 2, size, 3), scale_factor=(factor, 2.0), mode=mode)
            assert expected.numel()
        except (RuntimeError, AssertionError):
            with pytest.raises(ShapeError, match="cannot resize"):
                operation.measure(((1, 2, size, 3),))
            continue
        assert operation.measure(((1, 2, size, 3),)).shape == tuple(expected.shape), (factor, size)


def test_resizing_to_sizes_and_its_work() -> None:
    """Of each value made: one to copy the nearest, 4 or 16 neighbours to weigh and add."""
    for mode, work in (("nearest", 1), ("bilinear", 8), ("bicubic", 32)):
        found = Resize(mode=mode, sizes=(5, 6)).measure(((1, 2, 3, 3),))
        assert found == Measure((1, 2, 5, 6), 0, 60 * work)


def test_shuffling_pixels() -> None:
    assert PixelShuffle(factor=2).measure(((1, 8, 3, 5),)) == Measure((1, 2, 6, 10), 0, 120)
    back = PixelShuffle(factor=2, inverse=True)
    assert back.measure(((1, 2, 6, 10),)) == Measure((1, 8, 3, 5), 0, 120)
    with pytest.raises(ShapeError, match="cannot shuffle 1×6×3×5 by 2"):
        PixelShuffle(factor=2).measure(((1, 6, 3, 5),))
    with pytest.raises(ShapeError, match="cannot shuffle 1×2×5×4 by 2"):
        back.measure(((1, 2, 5, 4),))
