import pytest
import torch
from torch import nn

from convatlas.errors import UserError
from convatlas.layers.staged import (
    StagedNet,
    cifar_stem,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
    stages,
)


def block(c_in: int, c_out: int, stride: int) -> nn.Module:
    return nn.Conv2d(c_in, c_out, 1, stride=stride)


def test_the_parts_are_numbered() -> None:
    net = StagedNet(cifar_stem(3), stages(block, 16, (16, 32), (2, 1)), pooled_head(32, 10))
    paths = [path for path, layer in net.named_modules() if isinstance(layer, nn.Conv2d)]
    assert paths == ["stem.conv", "stage1.block1", "stage1.block2", "stage2.block1"]
    assert net(torch.zeros(2, 3, 8, 8)).shape == (2, 10)


def test_only_later_stages_halve_and_only_with_their_first_block() -> None:
    made = stages(block, 4, (8, 16), (2, 2))
    told = [(conv.in_channels, conv.out_channels, conv.stride[0]) for s in made for conv in s]
    assert told == [(4, 8, 1), (8, 8, 1), (8, 16, 2), (16, 16, 1)]


def test_both_pools_of_the_stem_make_56_of_224() -> None:
    for round_up in (False, True):
        stem = imagenet_stem(3, round_up=round_up).eval()
        assert stem(torch.zeros(1, 3, 224, 224)).shape == (1, 64, 56, 56)


def test_a_pool_without_border_looks_one_pixel_further() -> None:
    x = torch.arange(8.0)[None, None, None].expand(1, 1, 8, 8)
    pools = [
        imagenet_stem(1, round_up=round_up).get_submodule("pool") for round_up in (False, True)
    ]
    assert [pool(x)[0, 0, 0].tolist() for pool in pools] == [[1, 3, 5, 7], [2, 4, 6, 7]]


def test_dropout_only_where_asked_for() -> None:
    assert not any(isinstance(layer, nn.Dropout) for layer in pooled_head(8, 2))
    assert any(isinstance(layer, nn.Dropout) for layer in pooled_head(8, 2, dropout=0.2))


def test_draw_he_by_fan_out() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(256, 128, 3)
    draw_he(layer)
    # 295,000 draws: the deviation is known to 0.13 %
    assert layer.weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.01)
    assert layer.bias is not None
    assert not layer.bias.any()


def test_too_small_a_picture() -> None:
    refuse_smaller(3, 3)
    with pytest.raises(UserError, match="2x2 are too small; this network accepts 3x3 and larger"):
        refuse_smaller(2, 3)
