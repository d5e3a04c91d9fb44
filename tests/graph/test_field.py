"""Fields against the pixels that `coverage` finds (which `test_reads` compares with gradients)."""

import random
from fractions import Fraction

import pytest
from random_networks import Generator
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import Propagation, propagate
from convatlas.graph.reads import coverage


def seen(module: nn.Module, size: tuple[int, int]) -> tuple[Graph, Propagation, Field]:
    graph = capture(module.eval(), (1, 2, *size))
    made = propagate(graph)
    field = fields(graph, made)[-1]
    assert field is not None
    return graph, made, field


@pytest.mark.parametrize("seed", range(200))
def test_size_jump_and_start_of_random_networks(seed: int) -> None:
    """The size is exactly that of the position that reads most; far on, all moves by the jump."""
    draw = random.Random(seed)
    size = (draw.randint(14, 40), draw.randint(14, 40))
    graph, made, field = seen(Generator(seed).network(size), size)
    if not field.local:
        return
    many = [max(len(axis.phases), 1) for axis in field.axes]
    cross = {(row, column) for row in range(many[0]) for column in range(min(many[1], 4))}
    cross |= {(row, column) for row in range(min(many[0], 4)) for column in range(many[1])}
    node = len(graph.nodes) - 1
    found = {at: coverage(graph, made, node, at) for at in cross}
    for axis in range(2):
        sizes = [each.size[axis] for each in found.values()]
        assert field.axes[axis].size == max(sizes)
        assert field.axes[axis].least <= max(sizes)
    if many == [1, 1]:
        top, left, *_ = found[0, 0].pixels.box
        middles = (top + Fraction(field.size[0] - 1, 2), left + Fraction(field.size[1] - 1, 2))
        assert tuple(axis.start for axis in field.axes) == middles
    later = coverage(graph, made, node, (many[0], 2 * many[1])).pixels.box
    first = found[0, 0].pixels.box
    if first[2]:
        assert later[0] - first[0] == many[0] * field.axes[0].jump
        assert later[1] - first[1] == 2 * many[1] * field.axes[1].jump


def test_three_convolutions_of_3_see_7_pixels() -> None:
    _, _, field = seen(nn.Sequential(nn.Conv2d(2, 1, 3), *[nn.Conv2d(1, 1, 3)] * 2), (9, 9))
    axis = field.axes[0]
    assert (axis.size, axis.jump, axis.start, axis.least) == (7, 1, 3, 7)


def test_windows_that_are_not_square() -> None:
    _, _, field = seen(nn.Conv2d(2, 1, (1, 7), stride=(3, 1), padding=(0, 3)), (9, 9))
    assert field.size == (1, 7)
    assert [axis.jump for axis in field.axes] == [3, 1]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(self.conv(x))


def test_the_narrowest_way_is_the_shortcut() -> None:
    _, _, field = seen(Residual(), (9, 9))
    axis = field.axes[0]
    assert (axis.low, axis.high, axis.size, axis.least) == (-2, 2, 5, 1)


def test_a_global_pool_reads_as_a_whole() -> None:
    _, _, field = seen(nn.Sequential(nn.Conv2d(2, 1, 3), nn.AdaptiveAvgPool2d(1)), (9, 9))
    assert not field.local
    assert field.size == (9, 9)
    assert field.dims == (-1, -1)


class Gate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x.mean((2, 3), keepdim=True)


def test_a_gate_reads_as_a_whole_beside_its_pixels() -> None:
    _, _, field = seen(Gate(), (9, 9))
    assert not field.local
    assert field.dims == (2, 3)
    assert all(axis.whole for axis in field.axes)


def test_upsampled_positions_read_by_their_phase() -> None:
    """Two pixels beside each other are one pixel of the coarser map or two: 3 wide reads 2 or 3."""
    up = nn.Upsample(scale_factor=2, mode="nearest")
    _, _, field = seen(nn.Sequential(up, nn.Conv2d(2, 1, 4)), (9, 9))
    axis = field.axes[0]
    assert axis.phases == ((0, 1), (0, 2))
    assert axis.size == 3
    assert axis.jump == Fraction(1, 2)


def test_phases_that_a_stride_skips_do_not_count() -> None:
    up = nn.Upsample(scale_factor=2, mode="nearest")
    _, _, field = seen(nn.Sequential(up, nn.Conv2d(2, 1, 2, stride=2)), (9, 9))
    axis = field.axes[0]
    assert (axis.size, axis.jump, axis.start, axis.phases) == (1, 1, 0, ())


def test_the_middle_of_an_interpolated_axis_is_right_on_average() -> None:
    """Doubling: position o lies at o/2 - 1/4."""
    for mode in ("nearest", "bilinear", "bicubic"):
        _, _, field = seen(nn.Upsample(scale_factor=2, mode=mode), (9, 9))
        assert field.axes[0].start == Fraction(-1, 4)
    assert field.size == (4, 4)
