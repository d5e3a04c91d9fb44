import pytest
import torch
import torch.nn.functional as F
from references import timm
from torch import nn
from transplant import randomise, transplant

from convatlas.errors import UserError
from convatlas.layers.cbam import CBAM, ChannelAttention, SpatialAttention


def test_equals_timms() -> None:
    theirs = timm.layers.cbam.CbamModule(32, rd_ratio=1 / 16, rd_divisor=1)
    ours = CBAM(32, bias=False)
    randomise(theirs)
    transplant(theirs, ours)
    theirs.eval()
    ours.eval()
    for side in (1, 5, 8):
        x = torch.randn(2, 32, side, side)
        assert torch.equal(ours(x), theirs(x))


def test_channel_attention_is_equation_2_with_dense_layers() -> None:
    torch.manual_seed(0)
    ours = ChannelAttention(8, reduction=2).double()
    down, up = nn.Linear(8, 4).double(), nn.Linear(4, 8).double()
    randomise(ours)
    with torch.no_grad():
        for dense, conv in ((down, ours.mlp[0]), (up, ours.mlp[2])):
            dense.weight.copy_(conv.get_parameter("weight")[:, :, 0, 0])
            dense.bias.copy_(conv.get_parameter("bias"))
    x = torch.randn(3, 8, 5, 4, dtype=torch.float64)
    total = up(down(x.mean((2, 3))).relu()) + up(down(x.flatten(2).max(2).values).relu())
    expected = x * total.sigmoid()[:, :, None, None]
    torch.testing.assert_close(ours(x), expected, rtol=1e-12, atol=1e-12)


def test_spatial_attention_is_equation_3() -> None:
    torch.manual_seed(0)
    ours = SpatialAttention().double().eval()
    randomise(ours)
    x = torch.randn(2, 8, 9, 7, dtype=torch.float64)
    seen = torch.stack((x.mean(1), x.max(1).values), 1)
    map_ = ours.norm(F.conv2d(seen, ours.conv.weight, padding=3))
    torch.testing.assert_close(ours(x), x * map_.sigmoid(), rtol=1e-12, atol=1e-12)


def test_parameters() -> None:
    # the MLP with its biases, 2 x 7 x 7 weights and one batch norm
    assert sum(p.numel() for p in CBAM(256).parameters()) == 2 * 256**2 // 16 + 16 + 256 + 98 + 2


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(UserError, match="reduction of 16 leaves nothing of 8 maps; choose 1 to 8"):
        CBAM(8)
    with pytest.raises(UserError, match="kernel of 4 has no middle; choose an odd one"):
        CBAM(16, kernel=4)
