"""Pixels and positions that nobody reads, against the gradient of torch."""

import pytest
import torch
from torch import Tensor, nn

from convatlas.analysis.doctor.case import Case, case_of
from convatlas.analysis.doctor.unread import all_read, ranges, unread_maps, unread_pixels
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


def case(module: nn.Module, height: int, width: int) -> Case:
    graph = capture(module, (1, 1, height, width), training=False)
    return case_of(graph, propagate(graph))


def unread_by_torch(module: nn.Module, height: int, width: int) -> int:
    """Pixels on which no output depends, weights all one."""
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    x = torch.zeros(1, 1, height, width, requires_grad=True)
    module(x).sum().backward()
    assert x.grad is not None
    return int((x.grad == 0).sum())


@pytest.mark.parametrize(
    ("module", "height", "width", "says"),
    [
        # width 8, kernel 3, stride 2: ⌊(8 − 3)/2⌋ + 1 = 3 windows end at 7: the last is unread
        (nn.Conv2d(1, 1, 3, 2), 8, 8, "15 of 64 pixels are never read: rows 7 and columns 7"),
        (nn.Conv2d(1, 1, 3, 2), 9, 8, "9 of 72 pixels are never read: columns 7"),
        # 1x1 with stride 2 reads 16 of 64
        (
            nn.Conv2d(1, 1, 1, 2),
            *(8, 8, "48 of 64 pixels are never read: rows 1, 3, 5, 7 and columns 1, 3, 5, 7"),
        ),
        (nn.AvgPool2d(5), 14, 5, "20 of 70 pixels are never read: rows 10-13"),
    ],
)
def test_unread_pixels(module: nn.Module, height: int, width: int, says: str) -> None:
    asked = case(module, height, width)
    (found,) = unread_pixels(asked)
    assert (found.says, found.weight) == (says, "warning")
    assert int(says.split(" ")[0]) == unread_by_torch(module, height, width)
    assert not all_read(asked)
    for change in found.changes:  # a smaller input, which gives the same result
        new = tuple(map(int, change.removeprefix("an input of ").split(" ")[0].split("×")))
        x = torch.rand(1, 1, height, width)
        with torch.no_grad():
            assert torch.equal(module(x), module(x[:, :, : new[0], : new[1]]))


def test_a_row_at_the_border_is_a_note() -> None:
    (found,) = unread_pixels(case(nn.Conv2d(1, 1, 3, 2), 100, 100))
    assert found.weight == "note"


class Crop(nn.Module):
    """Only the middle is used."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 2:-2, 2:-2]


class Both(nn.Module):
    """Two readers that skip in turn, and read everything together."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.even = nn.Conv2d(1, 1, 1, 2)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.even(x) + self.pool(x)


@pytest.mark.parametrize(
    ("module", "side", "unread"),
    [
        (Crop(), 10, 100 - 36),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), Crop()), 10, 100 - 64),
        (nn.Sequential(Crop(), nn.AdaptiveAvgPool2d(1)), 10, 64),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 1, 2)), 9, 0),
        (nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.Flatten(), nn.Linear(25, 3)), 9, 0),
        (nn.ConvTranspose2d(1, 1, 2, 2), 5, 0),
        (Both(), 8, 0),
    ],
)
def test_as_many_as_torch_says(module: nn.Module, side: int, unread: int) -> None:
    found = list(unread_pixels(case(module, side, side)))
    assert unread == unread_by_torch(module, side, side)
    assert len(found) == (unread > 0)
    assert all(one.says.startswith(f"{unread} of {side * side} pixels") for one in found)


def test_unread_positions() -> None:
    """ResNet v1: 1x1 with stride 2 after a 3x3 throws away three quarters of what that made."""
    module = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 1, 2))
    (found,) = unread_maps(case(module, 8, 8))
    assert (found.weight, found.place) == ("warning", "1")
    assert found.says == "75% of what is computed there is never read: 1 (read by 2)"
    assert found.changes == (
        "the stride on a layer whose kernel is at least as large, or on a pool",
    )
    mended = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.ReLU(), nn.Conv2d(1, 1, 1))
    assert not list(unread_maps(case(mended, 8, 8)))
    assert not list(unread_maps(case(Both(), 8, 8)))


def test_a_rest_behind_the_last_window() -> None:
    """8x8 under 3/2 without padding: 7 of 8 rows and columns are read, 49 of 64."""
    module = nn.Sequential(nn.Conv2d(1, 1, 1), nn.MaxPool2d(3, 2))
    (found,) = unread_maps(case(module, 8, 8))
    assert found.says.startswith("23% of what is computed")
    assert found.changes == ("rounding up (ceil_mode=True) in 1",)
    mended = nn.Sequential(nn.Conv2d(1, 1, 1), nn.MaxPool2d(3, 2, ceil_mode=True))
    assert not list(unread_maps(case(mended, 8, 8)))
    conv = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 3, 2))
    (found,) = unread_maps(case(conv, 8, 8))
    assert found.changes == ("more padding in 1",)


def test_ranges() -> None:
    assert ranges([3, 4, 5, 9]) == "3-5, 9"
    assert ranges(range(0, 20, 2)) == "0, 2, 4, 6, 8, 10 …"
