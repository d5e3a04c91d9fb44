"""Code that computes with sizes unheard: its graph is right at another size, or refuses it."""

import math
import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import propagate

SIZES = (8, 9, 12, 16, 17, 24, 31, 32, 64)


class Net(nn.Module):
    """A convolution, then something done with the height."""

    def __init__(self, function: Callable[[Tensor, int], Tensor]) -> None:
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 3, padding=1), function

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.function(x, x.shape[2])


def in_a_loop(x: Tensor, size: int) -> Tensor:
    for _ in range(size):
        x = x.relu()
    return x


def levels(x: Tensor, size: int) -> Tensor:
    for _ in range(int(math.log2(size)) - 2):
        x = nn.functional.avg_pool2d(x, 2)
    return x


def entry(x: Tensor, size: int) -> Tensor:
    return x * [2.0 * number for number in range(100)][size]


UNHEARD: list[Callable[[Tensor, int], Tensor]] = [
    in_a_loop,
    levels,
    entry,
    lambda x, size: x[:, :, : round(0.5 * size)],
    lambda x, size: nn.functional.pad(x, (0, 0, 0, round(0.25 * size))),
    lambda x, size: torch.cat([x for _ in range(size)], 1),
    lambda x, size: x[..., : math.gcd(size, 8)],
    lambda x, size: x[..., : math.isqrt(size)],
    lambda x, size: x.repeat(1, len(range(0, size, 2)), 1, 1),
    lambda x, size: x * (0.5 * size),
]
HEARD: list[Callable[[Tensor, int], Tensor]] = [
    lambda x, size: x[:, :, : int(size / 2)],
    lambda x, size: x[:, :, : int(size)],
    lambda x, size: x[:, :, : int(float(size) * 0.5)],
    lambda x, size: x[:, :, : size.bit_length()],
    lambda x, size: x[:, :, : math.ceil(size / 3)],
    lambda x, size: x[:, :, : int(size * 0.5)],
]
FOLLOWED: list[Callable[[Tensor, int], Tensor]] = [
    lambda x, size: x[:, :, : size // 2],
    lambda x, size: x.view(x.shape[0], 4, size * x.shape[3]),
    lambda x, size: nn.functional.pad(x, (0, 0, 0, -size % 7)),
]


def real(net: nn.Module, side: int) -> Shape:
    with torch.no_grad():
        return tuple(net(torch.zeros(1, 3, side, side)).shape)


def told(net: nn.Module, home: int) -> dict[int, Shape]:
    """What the graph says of every size it does not refuse."""
    graph = capture(net, (1, 3, home, home))
    found = {}
    for side in SIZES:
        try:
            made = propagate(graph, ((1, 3, side, side),))
        except UserError:
            continue
        found[side] = made.shapes[graph.outputs[0][1]]
    return found


@pytest.mark.parametrize("home", [16, 24])
@pytest.mark.parametrize("number", range(len(UNHEARD) + len(HEARD)))
def test_held_to_its_own_size(number: int, home: int) -> None:
    net = Net((*UNHEARD, *HEARD)[number])
    assert told(net, home) == {home: real(net, home)}


@pytest.mark.parametrize("number", range(len(FOLLOWED)))
def test_what_is_followed_stays_good_for_every_size(number: int) -> None:
    net = Net(FOLLOWED[number])
    assert told(net, 16) == {side: real(net, side) for side in SIZES}


def test_only_the_axis_that_counts_is_held() -> None:
    net = Net(lambda x, _: torch.cat([x[index : index + 1].relu() for index in range(len(x))]))
    graph = capture(net, (2, 3, 8, 8))
    assert propagate(graph, ((2, 3, 16, 16),)).shapes[-1] == (2, 4, 16, 16)
    with pytest.raises(UserError, match="another way"):
        propagate(graph, ((3, 3, 8, 8),))
    tall = capture(Net(in_a_loop), (2, 3, 8, 8))
    assert propagate(tall, ((5, 3, 8, 8),)).shapes[-1] == (5, 4, 8, 8)


def test_numbers_drawn_on_the_way_are_the_same_at_both_looks() -> None:
    """Half the layers are left out by chance; the second look begins where the first did."""
    net = Net(lambda x, size: in_a_loop(x, random.randrange(9)).view(x.shape[0], 4, size, size))
    state = random.getstate()
    graph = capture(net, (1, 3, 8, 8))
    assert random.getstate() == state
    assert propagate(graph, ((1, 3, 16, 16),)).shapes[-1] == (1, 4, 16, 16)


def test_the_second_look_is_not_seen(capsys: pytest.CaptureFixture[str]) -> None:
    def printing(x: Tensor, size: int) -> Tensor:
        print("height", size)  # noqa: T201 - what the code of others does
        return x

    capture(Net(printing), (1, 3, 8, 8))
    assert capsys.readouterr().out == "height 8\n"


def test_a_network_that_reads_no_size_is_looked_at_once() -> None:
    seen: list[int] = []

    class Counting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(1)
            return x.flatten(1)

    capture(Counting(), (1, 3, 8, 8))
    assert len(seen) == 1


def test_tensors_of_integers_stay_integers() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.out = nn.Embedding(10, 4), nn.Linear(4, 4)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.out(self.table(tokens)).view(tokens.shape[0], -1)

    graph = capture(Tokens(), torch.zeros(2, 7, dtype=torch.int64))
    assert propagate(graph, ((3, 5),)).shapes[-1] == (3, 20)


@pytest.mark.parametrize("function", [in_a_loop, HEARD[0]])
def test_for_one_size_the_code_runs_once_and_others_are_refused(
    function: Callable[[Tensor, int], Tensor],
) -> None:
    runs: list[int] = []

    def counted(x: Tensor, size: int) -> Tensor:
        runs.append(size)
        return function(x, size)

    graph = capture(Net(counted), (2, 3, 16, 16), one_size=True)
    assert len(runs) == 1
    assert graph.nodes == capture(Net(function), (2, 3, 16, 16)).nodes
    assert propagate(graph, ((2, 3, 16, 16),)).shapes == propagate(graph).shapes
    for other in ((1, 3, 16, 16), (2, 3, 17, 16), (2, 3, 16, 17)):
        with pytest.raises(UserError):
            propagate(graph, (other,))


def test_for_one_size_code_that_reads_no_size_is_good_for_all() -> None:
    graph = capture(nn.Conv2d(3, 4, 3), (1, 3, 16, 16), one_size=True)
    assert propagate(graph, ((5, 3, 20, 40),)).shapes[-1] == (5, 4, 18, 38)
