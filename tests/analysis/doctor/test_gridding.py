"""Holes in the field, against the gradient of torch."""

import re

import pytest
import torch
from torch import Tensor, nn

from convatlas import atlas
from convatlas.analysis.doctor.case import Case, case_of
from convatlas.analysis.doctor.gridding import gridding
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


def case(module: nn.Module, side: int = 64) -> Case:
    graph = capture(module, (1, 1, side, side), training=False)
    return case_of(graph, propagate(graph))


def dilated(*dilations: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 1, kernel, padding=d * (kernel // 2), dilation=d) for d in dilations)
    )


def pixels(module: nn.Module, side: int = 64) -> Tensor:
    """Where the gradient of one value in the middle is not zero, weights all one."""
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    y = module(x)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    assert x.grad is not None
    return x.grad[0, 0] != 0


def has_holes(seen: Tensor) -> bool:
    """Whether a row or column of what is seen has a gap."""
    for lines in (seen, seen.T):
        for line in lines:
            places = line.nonzero()
            if len(places) and len(places) != int(places[-1] - places[0]) + 1:
                return True
        filled = lines.any(1).nonzero()
        if len(filled) != int(filled[-1] - filled[0]) + 1:
            return True
    return False


def test_dilations_of_two_leave_three_quarters_out() -> None:
    """2, 2, 2: field 1 + 3·4 = 13, of which every other row and column is read: 7·7 of 169.

    The first layer alone sees 3·3 of 5·5.
    """
    (found,) = gridding(case(dilated(2, 2, 2)))
    assert (found.weight, found.place) == ("warning", "0")
    assert "sees 9 of the 25 pixels of its field, 5×5" in found.says
    assert int(pixels(dilated(2, 2, 2)).sum()) == 49


def test_the_suggestion_has_no_holes() -> None:
    module = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), *dilated(4, 4, 4))
    (found,) = gridding(case(module))
    assert found.weight == "warning"
    suggested = re.search(r'dilations as in "([^"]+)"', found.changes[0])
    assert suggested is not None
    layers = [int(part.split("d")[1]) if "d" in part else 1 for part in suggested[1].split()]
    assert not has_holes(pixels(dilated(*layers)))
    assert not list(gridding(case(dilated(*layers))))


@pytest.mark.parametrize(
    "module",
    [
        dilated(1, 2, 3),
        dilated(1, 2, 4, 8),
        dilated(1, 1, 3),
        dilated(1),
        dilated(2, kernel=1),
        nn.Sequential(nn.Conv2d(1, 1, 7, 2, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 1, 3)),
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 1, 2), nn.Conv2d(1, 1, 3)),
    ],
)
def test_no_false_alarm(module: nn.Module) -> None:
    assert not has_holes(pixels(module))
    assert not list(gridding(case(module)))


@pytest.mark.parametrize(
    "module",
    [
        dilated(2),
        dilated(1, 4),
        dilated(1, 2, 2, 16),
        dilated(2, 2, 2, 2),
        nn.Sequential(nn.Conv2d(1, 1, 1, 2), nn.Conv2d(1, 1, 3)),
        nn.Sequential(nn.MaxPool2d(1, 3), nn.Conv2d(1, 1, 2)),
        nn.Sequential(nn.Conv2d(1, 1, (3, 1), dilation=(2, 1))),
    ],
)
def test_holes_are_found(module: nn.Module) -> None:
    if not isinstance(module[0], nn.MaxPool2d):
        assert has_holes(pixels(module))
    (found,) = gridding(case(module))
    assert (found.weight, found.what) == ("warning", "gridding")


def test_holes_that_are_closed_are_a_note() -> None:
    """2 then 1: each position of the second sees three neighbours, which fill each other's gaps."""
    module = dilated(2, 1)
    assert not has_holes(pixels(module))
    (found,) = gridding(case(module))
    assert (found.weight, found.place) == ("note", "0")
    assert found.says.endswith("the others are holes, which later layers close")


class Branches(nn.Module):
    """A dilated way and a plain one, joined."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 1, 3, padding=2, dilation=2)
        self.near = nn.Conv2d(1, 1, 5 if plain else 1, padding=2 if plain else 0)
        self.last = nn.Conv2d(2, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.cat((self.wide(x), self.near(x)), 1))


@pytest.mark.parametrize("plain", [True, False])
def test_branches(plain: bool) -> None:
    """A 5x5 beside it reads what the dilated 3x3 leaves out; a 1x1 does not."""
    module = Branches(plain=plain)
    (found,) = gridding(case(module))
    assert has_holes(pixels(module)) == (not plain)
    assert found.weight == ("note" if plain else "warning")


def test_no_published_network_has_holes() -> None:
    for entry in atlas.entries():
        graph = atlas.graph(entry.name)
        if len(graph.nodes) < 600:
            assert not list(gridding(case_of(graph, propagate(graph)))), entry.name
