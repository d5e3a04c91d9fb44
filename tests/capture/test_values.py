"""Branches on values: taken as the network would with a real example, refused without."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from convatlas.capture.capture import CaptureError, capture
from convatlas.graph.propagate import propagate


class Branching(nn.Module):
    """A convolution, then a function that looks at values."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.left, self.right = nn.Linear(4, 2), nn.Linear(4, 7)
        nn.init.ones_(self.stem.weight)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, self.norm(self.stem(x)))  # type: ignore[arg-type,call-arg]


def by_mean(net: Branching, x: Tensor) -> Tensor:
    pooled = x.mean((2, 3))
    return net.left(pooled) if x.mean() > 0 else net.right(pooled)


def by_item(net: Branching, x: Tensor) -> Tensor:
    pooled = x.mean((2, 3))
    return net.left(pooled) if x.max().item() > 0 else net.right(pooled)


def by_places(net: Branching, x: Tensor) -> Tensor:
    places = torch.nonzero(x.mean((1, 2, 3)) > 0)
    return net.left(x.mean((2, 3))[places[:, 0]])


def by_mask(net: Branching, x: Tensor) -> Tensor:
    return net.right(x.mean((2, 3))[x.mean((1, 2, 3)) > 0])


FUNCTIONS = [by_mean, by_item, by_places, by_mask]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("training", [True, False])
def test_with_values_the_branch_is_taken(
    function: Callable[..., Tensor], sign: int, *, training: bool
) -> None:
    net = Branching(function).train(training)
    x = sign * torch.rand(3, 3, 6, 6) + torch.tensor([1.0, 0, -1]).view(3, 1, 1, 1)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    kept, state = x.clone(), torch.get_rng_state()
    graph = capture(net, x)
    assert len(graph.notes) >= 1
    assert "depends on values" in graph.notes[0] or "asked for values" in graph.notes[0]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(x, kept)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    with torch.no_grad():
        real = net(x)
    assert propagate(graph).shapes[graph.outputs[0][1]] == tuple(real.shape)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_values_it_is_refused(function: Callable[..., Tensor]) -> None:
    message = r"Branching: .* in forward \(.*\); give an example tensor with real values"
    with pytest.raises(CaptureError, match=message):
        capture(Branching(function), (3, 3, 6, 6))
    with pytest.raises(CaptureError, match=message):
        capture(Branching(function).to("meta"), torch.zeros(3, 3, 6, 6))
    with pytest.raises(CaptureError, match=message):
        capture(Branching(function), torch.zeros(3, 3, 6, 6, device="meta"))


def test_a_shape_alone_is_drawn_if_that_is_wanted() -> None:
    """The same picture every time, the generator left alone; which line decides is said."""
    net, state = Branching(by_mean).eval(), torch.get_rng_state()
    graph = capture(net, (3, 3, 6, 6), draw=True)
    assert torch.equal(torch.get_rng_state(), state)
    picture = torch.randn((3, 3, 6, 6), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        real = net(picture)
    assert propagate(graph).shapes[graph.outputs[0][1]] == tuple(real.shape)
    line = by_mean.__code__.co_firstlineno + 2
    assert graph.notes == (
        f"__bool__ asked for values in forward (test_values.py, line {line}, "
        '"return net.left(pooled) if x.mean() > 0 else net.right(pooled)"): captured as taken',
        "for one drawn picture (normal values, seed 0); another may go another way",
    )
    with pytest.raises(CaptureError, match="give an example tensor with real values"):
        capture(net.to("meta"), (3, 3, 6, 6), draw=True)
    assert not capture(nn.Conv2d(3, 4, 3), (1, 3, 6, 6), draw=True).notes


def test_a_shape_that_hangs_on_values_holds_for_this_size() -> None:
    graph = capture(Branching(by_mask), torch.rand(3, 3, 6, 6))
    with pytest.raises(ValueError, match=r"another way|cannot"):
        propagate(graph, ((3, 3, 8, 8),))


def test_what_only_concerns_constants_needs_no_example() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("steps", torch.tensor(3))

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(int(self.steps.item())):
                x = x * 2
            return x if torch.rand(3).sum() < 4 else x + 1

    graph = capture(Counting(), (2, 3))
    assert len(graph.nodes) == 4
    assert not graph.notes
