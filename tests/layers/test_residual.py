import pytest
import torch
from torch import nn

from convatlas.layers.residual import (
    Residual,
    ZeroPadded,
    basic,
    bottleneck,
    padded_where_needed,
    projection,
    projection_where_needed,
)


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_branch_and_every_kind_of_shortcut_agree_in_shape(size: int) -> None:
    x = torch.randn(2, 8, size, size)
    for branch in (basic(8, 16, 2), bottleneck(8, 16, 2, width=4)):
        for shortcut in (
            ZeroPadded(8, 16, 2),
            projection(8, 16, 2),
            projection(8, 16, 2, kernel=3),
        ):
            half = (size + 1) // 2
            assert Residual(branch, shortcut)(x).shape == (2, 16, half, half)


def test_the_sum_comes_before_the_last_relu() -> None:
    block = Residual(nn.Identity(), nn.Identity())
    assert block(torch.tensor([-1.0, 2.0])).tolist() == [0.0, 4.0]


def test_stride_on() -> None:
    for stride_on, strides in (("1x1", [2, 1, 1]), ("3x3", [1, 2, 1])):
        branch = bottleneck(64, 256, 2, width=64, stride_on=stride_on)
        convs = [layer for layer in branch if isinstance(layer, nn.Conv2d)]
        assert [conv.stride[0] for conv in convs] == strides


def test_the_parameters_of_the_papers_example() -> None:
    # 256 maps through 64: 256*64 + 9*64*64 + 64*256 weights (section 4.1, figure 5)
    branch = bottleneck(256, 256, 1, width=64)
    weights = sum(layer.weight.numel() for layer in branch if isinstance(layer, nn.Conv2d))
    assert weights == 69_632


def test_two_widths_and_groups() -> None:
    branch = bottleneck(256, 512, 2, width=(256, 512), groups=64, stride_on="3x3")
    shapes = [tuple(layer.weight.shape) for layer in branch if isinstance(layer, nn.Conv2d)]
    assert shapes == [(256, 256, 1, 1), (512, 4, 3, 3), (512, 512, 1, 1)]


def test_the_identity_where_the_shape_stays() -> None:
    for rule in (padded_where_needed, projection_where_needed):
        assert isinstance(rule(8, 8, 1), nn.Identity)
        assert not isinstance(rule(8, 8, 2), nn.Identity)
        assert not isinstance(rule(8, 16, 1), nn.Identity)


def test_zero_padding_keeps_pixels_and_adds_zeros() -> None:
    x = torch.randn(1, 3, 5, 4)
    padded = ZeroPadded(3, 7, 2)(x)
    assert torch.equal(padded[:, :3], x[:, :, ::2, ::2])
    assert padded.shape == (1, 7, 3, 2)
    assert not padded[:, 3:].any()
