"""The second look compares calls, and still tells every difference that a second graph would."""

import math

import pytest
import torch
from torch import Tensor, nn

from convatlas.capture.again import Recorder, SecondLook
from convatlas.capture.calls import called
from convatlas.capture.capture import capture
from convatlas.capture.examples import given
from convatlas.capture.inventory import Inventory
from convatlas.capture.operators import dispatched
from convatlas.errors import UserError
from convatlas.graph.propagate import propagate


class Tokens(nn.Module):
    """Size-dependent views, a table that is written into, a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        count, maps, height, width = x.shape
        tokens = self.dense(x.view(count, maps, height * width).transpose(1, 2))
        mask = x.new_zeros((height, width))
        mask[:-1, :2] = 1
        return (tokens.relu() + mask.view(-1, 1))[:, 1:, ::2]


def both_looks(net: nn.Module, side: int, *, other: int) -> tuple[SecondLook, list[object]]:
    """The second look, and the functions that were written down anew in it."""
    inventory, anew = Inventory(net), []

    def seen(tracer: object, func: object, args: object, kwargs: object) -> object:
        anew.append(getattr(func, "__name__", ""))
        return called(tracer, func, args, kwargs)  # type: ignore[arg-type] - the tracer's own

    first = Recorder(inventory, called, dispatched)
    graph = capture(net, (1, 3, side, side))
    ran(first, net, side)
    look = SecondLook(first, propagate(graph, ((1, 3, other, other),)).shapes, seen, dispatched)
    ran(look, net, other)
    return look, anew


def ran(tracer: Recorder | SecondLook, net: nn.Module, side: int) -> None:
    args, _ = given((1, 3, side, side)).stand_ins(tracer, torch.float32, torch.device("cpu"))
    with torch.no_grad(), tracer:
        net(*args)


def test_equal_calls_are_not_written_down_again() -> None:
    look, anew = both_looks(Tokens(), 8, other=17)
    assert look.agrees
    # before the first size was asked for; and what writes into its argument
    assert anew == ["conv2d", "new_zeros", "__setitem__"]


def test_another_module_that_does_the_same_is_told() -> None:
    class Chosen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.each = nn.ModuleList(nn.ReLU() for _ in range(9))

        def forward(self, x: Tensor) -> Tensor:
            return self.each[int(math.log2(x.shape[2]))](x)

    graph = capture(Chosen(), (1, 3, 8, 8))
    assert propagate(graph, ((5, 3, 8, 8),)).shapes[-1] == (5, 3, 8, 8)
    with pytest.raises(UserError, match="another way"):
        propagate(graph, ((1, 3, 32, 8),))


def test_a_setting_that_was_a_size_unheard_is_told() -> None:
    class Rows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.roll(x, len(range(x.shape[2])) // 2, 2)

    with pytest.raises(UserError, match="another way"):
        propagate(capture(Rows(), (1, 3, 8, 8)), ((1, 3, 32, 8),))
