import pytest
import torch
from torch import nn

from convatlas.layers.inception import Side, average_branch, chain, convolution


def test_side_joins_what_its_branches_give_in_order() -> None:
    first, second = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 4, 3, padding=1)
    x = torch.randn(2, 3, 5, 5)
    joined = Side(first, second)(x)
    assert torch.equal(joined[:, :2], first(x))
    assert torch.equal(joined[:, 2:], second(x))


@pytest.mark.parametrize(
    ("kernel", "stride", "padded", "size"),
    [
        (3, 1, True, (9, 8)),
        ((1, 7), 1, True, (9, 8)),
        ((7, 1), 1, True, (9, 8)),
        (3, 2, True, (5, 4)),
        (3, 1, False, (7, 6)),
        (3, 2, False, (4, 3)),
    ],
)
def test_convolution_sizes(
    kernel: int | tuple[int, int], stride: int, padded: bool, size: tuple[int, int]
) -> None:
    out = convolution(2, 5, kernel, stride, padded=padded)(torch.randn(2, 2, 9, 8))
    assert out.shape == (2, 5, *size)
    assert out.min() == 0  # ReLU is the last


def test_chain_treats_only_its_end_otherwise() -> None:
    x = torch.randn(2, 2, 9, 9)
    steps = ((1, 3), (3, 4), (3, 5))
    sizes = {
        end: chain(2, *steps, end=end)(x).shape[1:] for end in ("padded", "unpadded", "halving")
    }
    assert sizes == {"padded": (5, 9, 9), "unpadded": (5, 7, 7), "halving": (5, 4, 4)}
    convolutions = [m for m in chain(2, *steps).modules() if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in convolutions] == [(2, 3), (3, 4), (4, 5)]


@pytest.mark.parametrize(("count_padding", "corner"), [(False, 1.0), (True, 4 / 9)])
def test_average_branch_at_the_border(count_padding: bool, corner: float) -> None:
    pool = average_branch(1, 2, count_padding=count_padding)[0]
    assert pool(torch.ones(1, 1, 4, 4))[0, 0, 0, 0].item() == pytest.approx(corner)
