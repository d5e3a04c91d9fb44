from itertools import product

import pytest
import torch
from torch import nn

from convatlas.arithmetic.convolution import (
    Convolution,
    chain,
    depthwise,
    num_weights,
    pointwise,
    separable,
    total,
)
from convatlas.arithmetic.geometry import Geometry
from convatlas.errors import UserError


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "groups", "bias"),
    list(
        product(((1, 1), (3, 3), (2, 5)), ((1, 1), (2, 3)), (0, 2), (1, 2), (1, 2), (True, False))
    ),
)
def test_shape_and_parameters_as_torch(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: int,
    dilation: int,
    groups: int,
    bias: bool,
) -> None:
    theirs = nn.Conv2d(4, 6, kernel, stride, padding, dilation, groups, bias, device="meta")
    geometry = Geometry(
        kernel=kernel, stride=stride, padding=(padding,) * 2, dilation=(dilation,) * 2
    )
    ours = Convolution(c_in=4, c_out=6, geometry=geometry, groups=groups, bias=bias)
    cost = ours.cost((15, 14))
    assert cost.output == theirs(torch.empty(1, 4, 15, 14, device="meta")).shape[1:]
    assert cost.parameters == sum(p.numel() for p in theirs.parameters())
    assert cost.weights == theirs.weight.numel()
    assert cost.macs == theirs.weight.numel() * cost.output[1] * cost.output[2]


def test_108_weights_do_not_depend_on_the_map() -> None:
    layer = Convolution(c_in=3, c_out=4, geometry=Geometry(kernel=(3, 3), padding="same"))
    small, large = layer.cost((64, 64)), layer.cost((128, 128))
    assert (small.output, small.weights, small.parameters) == ((4, 64, 64), 108, 112)
    assert (large.weights, large.macs) == (108, 4 * small.macs)


def test_depthwise_separable_is_303_and_120() -> None:
    geometry = Geometry(kernel=(10, 10), padding="same")
    costs = chain(separable(3, 30, geometry), (3, 10, 10))
    assert [cost.parameters for cost in costs] == [303, 120]
    assert total(costs).parameters == 423
    assert total(costs).output == (30, 10, 10)
    assert depthwise(3, geometry).groups == 3


def test_pointwise_from_100_to_50_channels() -> None:
    cost = pointwise(100, 50, bias=False).cost((224, 224))
    assert (cost.output, cost.parameters) == ((50, 224, 224), 5000)
    assert [num_weights((k, k), 100, 50) for k in (3, 5)] == [45_000, 125_000]


def test_impossible_layers_are_refused() -> None:
    geometry = Geometry(kernel=(3, 3))
    with pytest.raises(UserError, match="groups do not divide"):
        Convolution(c_in=3, c_out=4, geometry=geometry, groups=3)
    with pytest.raises(UserError, match="output channels is 0"):
        Convolution(c_in=3, c_out=0, geometry=geometry)
    with pytest.raises(UserError, match="a layer for 4 channels is given 3"):
        chain((pointwise(4, 2),), (3, 5, 5))
