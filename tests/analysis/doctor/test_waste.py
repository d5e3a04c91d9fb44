import pytest
import torch
from torch import Tensor, nn

from convatlas.analysis.doctor.case import case_of
from convatlas.analysis.doctor.waste import only_padding, unused
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


def case(module: nn.Module, *shape: int):
    graph = capture(module, shape, training=False)
    return case_of(graph, propagate(graph))


def idle_by_torch(conv: nn.Conv2d, *shape: int) -> int:
    """Taps of a kernel whose gradient is zero for every picture of ones."""
    conv(torch.ones(shape)).sum().backward()
    assert conv.weight.grad is not None
    return int((conv.weight.grad[0, 0] == 0).sum())


@pytest.mark.parametrize(
    ("conv", "height", "width", "idle"),
    [
        (nn.Conv2d(1, 1, 3, padding=1), 1, 1, 8),  # only the middle meets the pixel
        (nn.Conv2d(1, 1, 3, padding=1), 1, 5, 6),  # the middle row
        (nn.Conv2d(1, 1, 3, padding=1), 2, 2, 0),
        (nn.Conv2d(1, 1, 5, padding=2), 2, 2, 16),  # 3 of 5 along each axis
        (nn.Conv2d(1, 1, 3, padding=4, dilation=4), 3, 3, 8),
        (nn.Conv2d(1, 1, 3, 2, 1), 2, 2, 5),  # one place: taps 1 and 2 along each axis
        (nn.Conv2d(1, 1, 3), 3, 3, 0),
    ],
)
def test_weights_that_only_meet_padding(
    conv: nn.Conv2d, height: int, width: int, idle: int
) -> None:
    assert idle_by_torch(conv, 1, 1, height, width) == idle
    found = list(only_padding(case(nn.Sequential(conv), 1, 1, height, width)))
    assert len(found) == (idle > 0)
    for one in found:
        assert one.says.endswith(f"0 ({idle} of {conv.kernel_size[0] * conv.kernel_size[1]})")


def test_padding_that_is_no_zero_is_no_waste() -> None:
    conv = nn.Conv2d(1, 1, 3, padding=1, padding_mode="replicate")
    assert not list(only_padding(case(nn.Sequential(conv), 1, 1, 1, 1)))


class Idle(nn.Module):
    """A layer that is never called, and one whose result is dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.never, self.dropped = (nn.Linear(3, 3) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        self.dropped(x)
        return self.used(x)


def test_what_nobody_uses() -> None:
    parameters, results = unused(case(Idle(), 1, 3))
    assert parameters.says == "12 parameters are read by nothing: never.weight, never.bias"
    assert results.says == "computed and taken by nothing: dropped"
    assert {parameters.weight, results.weight} == {"note"}
    assert not list(unused(case(nn.Linear(3, 3), 1, 3)))
