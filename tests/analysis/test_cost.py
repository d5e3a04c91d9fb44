"""Costs by hand, and lines that add up to the totals for every network."""

import pytest
import torch
from torch import Tensor, nn

from convatlas import atlas
from convatlas.analysis.cost import cost
from convatlas.capture.capture import capture
from convatlas.graph.source import Constant


def test_lenet_by_hand() -> None:
    found = cost(atlas.graph("lenet5"), ((1, 1, 32, 32),))
    by_path = {line.node.path: line for line in found.lines}
    # LeCun et al. 1998, section II.B: C1 has 156 weights and 122,304 connections, biases included:
    # 28·28·6·(25 + 1); without biases 28·28·6·25 = 117,600. C3 has 60 pairs of maps.
    assert by_path["c1"].parameters == 156
    assert by_path["c1"].macs == 117_600
    assert by_path["c3"].parameters == 60 * 25 + 16
    assert by_path["c3"].macs == 10 * 10 * 60 * 25
    assert by_path["c5"].parameters == 16 * 25 * 120 + 120
    assert found.parameters == 60_000  # "60,000 trainable free parameters"
    # s2 and s4 have a coefficient and a bias a map: 12 and 32; f6 84·(120 + 1) = 10,164.
    assert 156 + 12 + 1516 + 32 + 48_120 + 10_164 == 60_000
    assert found.macs == sum(line.macs or 0 for line in found.lines) == 328_096
    # c1 makes 6·28·28 numbers of 4 bytes
    assert by_path["c1"].bytes == 6 * 28 * 28 * 4
    # buffers: the bitmaps of the output, 10·84 numbers of 4 bytes, and C3's table, 2·60 of 8
    assert found.weight_bytes == 4 * (60_000 + 10 * 84) + 8 * 2 * 60


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_lines_add_up(name: str) -> None:
    for training in (False, True):
        found = cost(atlas.graph(name, training=training))
        unused = sum(parameter.size for parameter in found.graph.unused)
        assert sum(line.parameters for line in found.lines) + unused == found.parameters
        assert sum(line.macs or 0 for line in found.lines) == found.macs
        assert sum(line.work for line in found.lines) == found.made.work
        assert sum(line.bytes for line in found.lines) == found.live.total
        assert all(line.macs is not None for line in found.lines)


class Shared(nn.Module):
    """One weight in two layers, called three times, and one used as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.two.weight = self.one.weight
        self.scale = nn.Parameter(torch.ones(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(self.one(x))) * self.scale


def test_a_shared_tensor_counts_once_where_it_is_first_read() -> None:
    found = cost(capture(Shared(), (1, 4, 8, 8)))
    # 4·4·9 weights, 4 biases each, 4 of the scale; 3 calls of 8·8·144 multiply-adds
    assert found.parameters == 144 + 4 + 4 + 4
    owned = [(line.node.path, line.parameters) for line in found.lines if line.parameters]
    assert owned == [("one", 148), ("two", 4), ("", 4)]
    assert found.macs == 3 * 8 * 8 * 144
    constant = next(line for line in found.lines if isinstance(line.node.operation, Constant))
    assert constant.bytes == 0


def test_other_inputs_and_batches() -> None:
    graph = atlas.graph("resnet18")
    one, eight = (cost(graph, ((n, 3, 224, 224),)) for n in (1, 8))
    assert eight.macs == 8 * one.macs
    assert eight.live.total == 8 * one.live.total
    assert eight.parameters == one.parameters
