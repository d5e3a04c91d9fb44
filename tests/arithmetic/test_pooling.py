from itertools import product
from typing import Literal

import pytest
import torch
import torch.nn.functional as F

from convatlas.arithmetic.geometry import Geometry
from convatlas.arithmetic.pooling import Grid, Pool
from convatlas.errors import UserError


def grid(height: int, width: int) -> Grid:
    values = torch.randn(height, width, generator=torch.Generator().manual_seed(0)).tolist()
    return tuple(map(tuple, values))


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "ceil", "counted"),
    list(product(((2, 2), (3, 2), (3, 3)), (1, 2, 3), (0, 1), (False, True), (False, True))),
)
def test_average_as_torch(
    kernel: tuple[int, int], stride: int, padding: int, ceil: bool, counted: bool
) -> None:
    """Within 1e-6 of float32."""
    geometry = Geometry(kernel=kernel, stride=(stride,) * 2, padding=(padding,) * 2)
    pool = Pool(kind="avg", geometry=geometry, ceil=ceil, count_include_pad=counted)
    for size in ((5, 6), (7, 8), (4, 9)):
        values = grid(*size)
        theirs = F.avg_pool2d(torch.tensor(values)[None], kernel, stride, padding, ceil, counted)[0]
        ours = torch.tensor(pool.values(values))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "ceil"),
    list(product((2, 3), (1, 2, 3), (0, 1), (1, 2), (False, True))),
)
def test_max_as_torch(kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> None:
    geometry = Geometry(
        kernel=(kernel,) * 2,
        stride=(stride,) * 2,
        padding=(padding,) * 2,
        dilation=(dilation,) * 2,
    )
    pool = Pool(kind="max", geometry=geometry, ceil=ceil)
    for size in ((5, 6), (7, 8), (5, 9)):
        values = grid(*size)
        theirs = F.max_pool2d(torch.tensor(values)[None], kernel, stride, padding, dilation, ceil)[
            0
        ]
        assert torch.equal(torch.tensor(pool.values(values)), theirs)


@pytest.mark.parametrize(("kernel", "overlapping"), [(2, False), (3, True)])
def test_overlap(kernel: int, overlapping: bool) -> None:
    pool = Pool(kind="max", geometry=Geometry(kernel=(kernel,) * 2, stride=(2, 2)))
    assert pool.overlapping == overlapping
    cost = pool.cost((64, 55, 55))
    assert (cost.output, cost.parameters, cost.macs) == ((64, 27, 27), 0, 0)


@pytest.mark.parametrize("kind", ["max", "avg"])
def test_impossible_pools_are_refused(kind: Literal["max", "avg"]) -> None:
    with pytest.raises(UserError, match="takes at most 1"):
        Pool(kind=kind, geometry=Geometry(kernel=(2, 2), padding=(2, 0)))
    with pytest.raises(UserError, match="height 1: a kernel of 2"):
        Pool(kind=kind, geometry=Geometry(kernel=(2, 2))).cost((1, 1, 5))


def test_a_dilated_average_is_refused() -> None:
    with pytest.raises(UserError, match="an average pool has no dilation"):
        Pool(kind="avg", geometry=Geometry(kernel=(2, 2), dilation=(2, 2)))
