"""The layer that sets an axis, found through everything that hands it on."""

import pytest
import torch
from torch import Tensor, nn

from convatlas.analysis.doctor.origins import origin, place_of
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.gate = nn.Parameter(torch.ones(1, 1, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.gate * nn.functional.avg_pool2d(self.norm(self.conv(x)), 2)
        return maps.permute(0, 2, 3, 1).mean((1, 2)), maps


@pytest.mark.parametrize(
    ("output", "axis", "place"),
    [(0, 1, "conv"), (0, 0, "the input"), (1, 1, "conv"), (1, 0, "the input")],
)
def test_found(output: int, axis: int, place: str) -> None:
    graph = capture(Net(), (2, 3, 9, 9))
    found = origin(graph, propagate(graph), graph.outputs[output][1], axis)
    assert place_of(graph, found.node) == place
    assert all(graph.nodes[index].path != place for index in found.way)
