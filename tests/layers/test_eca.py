import pytest
import torch
from references import timm
from transplant import randomise, transplant

from convatlas.errors import UserError
from convatlas.layers.eca import ECA, adaptive_kernel


@pytest.mark.parametrize("channels", [16, 64, 128, 512, 2048])
def test_equals_timms_bit_for_bit(channels: int) -> None:
    theirs = timm.layers.EcaModule(channels)
    ours = ECA(channels)
    randomise(theirs)
    transplant(theirs, ours)
    for side in (1, 5):
        x = torch.randn(2, channels, side, side)
        assert torch.equal(ours(x), theirs(x))


def test_every_factor_depends_on_its_neighbours() -> None:
    ours = ECA(6, kernel=3).double()
    with torch.no_grad():
        ours.conv.weight.copy_(torch.tensor([[[2.0, 3.0, 5.0]]]))
    x = torch.randn(2, 6, 3, 3, dtype=torch.float64)
    means = torch.nn.functional.pad(x.mean((2, 3)), (1, 1))
    total = 2 * means[:, :-2] + 3 * means[:, 1:-1] + 5 * means[:, 2:]
    torch.testing.assert_close(ours(x), x * total.sigmoid()[:, :, None, None], rtol=1e-12, atol=0)


def test_the_papers_rule() -> None:
    sizes = {channels: adaptive_kernel(channels) for channels in (64, 128, 256, 512, 1024, 2048)}
    assert sizes == {64: 3, 128: 5, 256: 5, 512: 5, 1024: 5, 2048: 7}


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(UserError, match="kernel of 4 has no middle"):
        ECA(64, kernel=4)
