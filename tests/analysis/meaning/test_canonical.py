from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from changed import graph
from torch import Tensor, nn

from convatlas.analysis.diff import diff
from convatlas.graph.graph import Graph

LRN = "local response normalisation"
AVERAGE = "average pooling 3×3"


def small(*parts: nn.Module) -> Graph:
    return graph(nn.Sequential(nn.Conv2d(3, 8, 3), *parts), 32)


class Does(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


POOL = nn.AdaptiveAvgPool2d(1)
SAME = [
    ((POOL, nn.Flatten()), (Does(lambda x: x.mean((2, 3))),)),
    ((POOL, nn.Flatten()), (nn.AvgPool2d(30), Does(lambda x: x.view(1, 8)))),
    ((POOL, nn.Flatten()), (Does(lambda x: x.flatten(2).mean(-1)),)),
    ((nn.ReLU6(),), (nn.Hardtanh(0, 6),)),
    ((nn.ReLU6(),), (Does(lambda x: F.hardtanh(x, max_val=6, min_val=0)),)),
    ((nn.ReLU(),), (Does(lambda x: x.clamp_min(0)),)),
    ((nn.ZeroPad2d(1), nn.Conv2d(8, 4, 3)), (nn.Conv2d(8, 4, 3, padding=1),)),
    ((nn.Dropout(0), nn.Identity(), Does(Tensor.contiguous)), ()),
    (
        (POOL, nn.Conv2d(8, 5, 1)),
        (POOL, nn.Flatten(), nn.Linear(8, 5)),
    ),
    ((nn.Conv2d(8, 5, 30),), (nn.Flatten(), nn.Linear(8 * 900, 5))),
    ((nn.MaxPool2d(3, 1, 1, ceil_mode=True),), (nn.MaxPool2d(3, 1, 1),)),
    ((Does(lambda x: F.relu(x) + x.sigmoid()),), (Does(lambda x: x.sigmoid() + F.relu(x)),)),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_means_the_same_is_the_same(
    one: tuple[nn.Module, ...], other: tuple[nn.Module, ...]
) -> None:
    found = diff(small(*one), small(*other))
    assert found.changes == ()
    assert diff(small(*other), small(*one)).same


def average(*, count_include_pad: bool = True) -> nn.Module:
    return nn.AvgPool2d(3, 2, 1, count_include_pad=count_include_pad)


def lrn(alpha: float, k: float) -> nn.Module:
    return nn.LocalResponseNorm(5, alpha, k=k)


DIFFERENT = [
    (lrn(1e-4, 2.0), lrn(5e-4, 2.0), f"alpha of {LRN}"),
    (lrn(1e-4, 2.0), lrn(1e-4, 1.0), f"k of {LRN}"),
    (
        average(),
        average(count_include_pad=False),
        f"includes padding of {AVERAGE}",
    ),
    (nn.LeakyReLU(0.1), nn.LeakyReLU(0.2), "settings of leaky ReLU"),
    (
        nn.Upsample(None, 2),
        nn.Upsample(None, 2, "bilinear"),
        "mode of interpolation",
    ),
    (nn.Softmax(1), nn.Softmax(3), "axis of softmax"),
    (nn.PixelShuffle(2), nn.ChannelShuffle(4), None),
    (Does(lambda x: F.relu(x) + x), Does(lambda x: torch.cat([F.relu(x), x], 1)), None),
    (Does(lambda x: x.transpose(2, 3)), nn.Identity(), "left out"),
]


@pytest.mark.parametrize(("one", "other", "what"), DIFFERENT)
def test_what_means_something_else_is_not(one: nn.Module, other: nn.Module, what: str) -> None:
    found = diff(small(one), small(other))
    if what is None:
        assert not found.same
    else:
        assert [change.what for change in found.changes] == [what]
