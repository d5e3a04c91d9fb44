import pytest
import torch
from references import timm
from transplant import randomise, transplant

from convatlas.errors import UserError
from convatlas.layers.se import SE


def test_equals_timms_bit_for_bit() -> None:
    theirs = timm.models.senet.SEModule(32, reduction=16)
    ours = SE(32, reduction=16)
    randomise(theirs)
    transplant(theirs, ours)
    for side in (1, 5, 8):
        x = torch.randn(2, 32, side, side)
        assert torch.equal(ours(x), theirs(x))


def test_equals_equations_2_to_4() -> None:
    torch.manual_seed(0)
    ours = SE(8, reduction=2, bias=False).double()
    x = torch.randn(3, 8, 5, 4, dtype=torch.float64)
    z = x.mean((2, 3))
    s = ((z @ ours.reduce.weight[:, :, 0, 0].T).relu() @ ours.expand.weight[:, :, 0, 0].T).sigmoid()
    torch.testing.assert_close(ours(x), x * s[:, :, None, None], rtol=1e-12, atol=0)


def test_parameters() -> None:
    # 2 C² / r weights; with biases C / r + C more
    assert sum(p.numel() for p in SE(256, bias=False).parameters()) == 2 * 256**2 // 16
    assert sum(p.numel() for p in SE(256).parameters()) == 2 * 256**2 // 16 + 16 + 256


def test_a_reduction_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="reduction of 16 leaves nothing of 8 maps; choose 1 to 8"):
        SE(8)
