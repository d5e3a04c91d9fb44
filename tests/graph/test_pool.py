import itertools

import pytest
import torch
import torch.nn.functional as F

from convatlas.graph.operation import Measure, ShapeError
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling

GRID = list(
    itertools.product((1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2), (False, True), (3, 4, 7, 8))
)


def test_every_window_as_torch_slides_it() -> None:
    """576 combinations of kernel, stride, padding, dilation, rounding and size."""
    refused = 0
    for kernel, stride, padding, dilation, ceil, size in GRID:
        if 2 * padding > kernel:
            continue
        pool = Pool(
            how="max",
            kernel=(kernel,),
            stride=(stride,),
            padding=((padding, padding),),
            dilation=(dilation,),
            ceil=ceil,
        )
        given = torch.empty((2, 3, size), device="meta")
        try:
            expected = F.max_pool1d(given, kernel, stride, padding, dilation, ceil).shape
        except RuntimeError:
            refused += 1
            with pytest.raises(ShapeError):
                pool.measure(((2, 3, size),))
            continue
        count = expected.numel()
        assert pool.measure(((2, 3, size),)) == Measure(tuple(expected), 0, count * kernel)
    assert refused > 10


def test_averages_of_planes_round_up_as_torch_does() -> None:
    for kernel, stride, size in itertools.product((2, 3), (1, 2, 3), ((5, 8), (6, 7))):
        pool = Pool(
            how="avg",
            kernel=(kernel, 2),
            stride=(stride, 2),
            padding=((1, 1), (0, 0)),
            dilation=(1, 1),
            ceil=True,
        )
        given = torch.empty((1, 2, *size), device="meta")
        expected = F.avg_pool2d(given, (kernel, 2), (stride, 2), (1, 0), ceil_mode=True)
        assert pool.measure(((1, 2, *size),)).shape == tuple(expected.shape)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (None, 2), (9, 9)])
def test_pooling_to_a_size(size: tuple[int | None, int]) -> None:
    given = torch.empty((2, 3, 7, 8), device="meta")
    expected = F.adaptive_avg_pool2d(given, size).shape
    operation = AdaptivePool(how="avg", size=size)
    assert operation.measure(((2, 3, 7, 8),)) == Measure(tuple(expected), 0, 2 * 3 * 7 * 8)


def test_sub_sampling_has_one_multiplication_for_each_unit() -> None:
    """LeNet-5's S2: 6 maps of 14x14 units, each the sum of 4 values."""
    assert SubSampling().measure(((1, 6, 28, 28),)) == Measure((1, 6, 14, 14), 1176, 4704)


def test_nothing_left_to_pool() -> None:
    with pytest.raises(ShapeError, match="nothing is left to pool: given 1×2×0×3"):
        AdaptivePool(how="avg", size=(1, 1)).measure(((1, 2, 0, 3),))
