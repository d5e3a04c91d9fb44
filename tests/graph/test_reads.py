"""What `reads` and `coverage` say, pixel by pixel against gradients that torch computes."""

import random

import pytest
import torch
from linearised import features, mask, support
from random_networks import Generator
from torch import nn

from convatlas import models
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.field import fields
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import propagate
from convatlas.graph.reads import Position, coverage, reads

# Up to where, at which size of picture, and the receptive field there.
NETWORKS = [
    ("vgg16", "dense", 224, 212),
    ("alexnet", "dense", 224, 195),
    ("resnet18", "head", 512, 435),
    ("resnet50", "head", 544, 483),
    ("resnet50@torchvision", "head", 544, 427),
    ("mobilenet_v1", "head", 400, 315),
    ("lenet5", "s4", 32, 14),
    ("lenet5", "c5", 32, 16),
    ("nin-imagenet", "mean", 224, 195),
    ("googlenet", "head", 224, 715),
    ("inception_v3", "head", 299, 1327),
    ("densenet121", "pool", 256, 2071),
    ("unet", "output", 572, 204),
]


def entering(graph: Graph, place: str) -> int:
    """The node that a part of the network is given."""
    part = next(n for n in graph.nodes if n.path == place or n.path.startswith(f"{place}."))
    return part.inputs[0]


@pytest.mark.parametrize(("name", "place", "size", "expected"), NETWORKS)
def test_networks_read_the_pixels_that_have_a_gradient(
    name: str, place: str, size: int, expected: int
) -> None:
    blueprint = models.blueprint(name)
    module = blueprint.build().double() if name == "lenet5" else blueprint.layout()
    shape = (1, blueprint.spec.in_channels, size, size)
    graph = capture(module, shape, training=False)
    made = propagate(graph)
    node = entering(graph, place)
    height, width = made.shapes[node][2:]
    at = (height // 2, width // 2 + 1)
    found = support(features(module, place), shape, lambda out: out[..., at[0], at[1]], thin=True)
    read = reads(graph, made, node, at)
    assert torch.equal(mask(read.rows, size, size), found)
    assert read.number == int(found.sum())
    field = fields(graph, made)[node]
    assert field is not None
    assert field.size == (expected, expected)


def outputs(graph: Graph) -> tuple[int, int]:
    """How many rows and columns the last node has, as the picture has them."""
    made = propagate(graph)
    field = fields(graph, made)[-1]
    assert field is not None
    height, width = (made.shapes[-1][dim] if dim >= 0 else 1 for dim in field.dims)
    return height, width


@pytest.mark.parametrize("seed", range(200))
def test_random_networks_read_the_pixels_that_have_a_gradient(seed: int) -> None:
    draw = random.Random(seed)
    height, width = draw.randint(14, 40), draw.randint(14, 40)
    module = Generator(seed).network((height, width)).double().eval()
    shape = (1, 2, height, width)
    graph = capture(module, shape)
    made = propagate(graph)
    field = fields(graph, made)[-1]
    assert field is not None
    rows, columns = outputs(graph)
    positions: list[Position] = ["all", (0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)]
    positions.append((draw.randrange(rows), draw.randrange(columns)))
    for position in positions:
        at = position if position == "all" or field.dims == (2, 3) else position[::-1]
        found = support(
            module, shape, lambda out, at=at: out if at == "all" else out[..., at[0], at[1]]
        )
        read = reads(graph, made, len(graph.nodes) - 1, position)
        assert torch.equal(mask(read.rows, height, width), found), position


def strided(width: int) -> Graph:
    return capture(nn.Sequential(nn.Conv2d(1, 1, 3, stride=2)), (1, 1, width, width))


def test_a_column_that_is_never_read() -> None:
    graph = strided(8)
    everything = reads(graph, propagate(graph), 1, "all")
    assert (everything.box, everything.number) == ((0, 0, 7, 7), 49)
    graph = strided(9)
    assert reads(graph, propagate(graph), 1, "all").number == 81


def test_borders_are_clipped_and_coverage_is_not() -> None:
    graph = capture(nn.Sequential(nn.Conv2d(1, 1, 5, padding=2)), (1, 1, 8, 8))
    made = propagate(graph)
    assert reads(graph, made, 1, (0, 0)).box == (0, 0, 3, 3)
    seen = coverage(graph, made, 1)
    assert seen.pixels.box == (-2, -2, 5, 5)
    assert (seen.size, seen.read, seen.share) == ((5, 5), 25, 1.0)


def test_holes_of_dilated_convolutions() -> None:
    """Gridding: two layers of dilation 2 read every other pixel only (5 of 9 along each axis)."""
    layers = [nn.Conv2d(1, 1, 3, dilation=2) for _ in range(2)]
    graph = capture(nn.Sequential(*layers), (1, 1, 20, 20))
    seen = coverage(graph, propagate(graph), 2)
    assert (seen.size, seen.read) == ((9, 9), 25)
    assert seen.share == pytest.approx(25 / 81)


def test_a_position_beyond_the_map_is_refused() -> None:
    graph = strided(8)
    made = propagate(graph)
    with pytest.raises(UserError, match="no position 3, 0 on a map of 3×3; rows go from 0 to 2"):
        reads(graph, made, 1, (3, 0))


def test_a_network_without_pictures_is_refused() -> None:
    graph = capture(nn.Linear(4, 2), (1, 4))
    with pytest.raises(UserError, match="takes no pictures"):
        reads(graph, propagate(graph), 1, "all")


class Second(nn.Module):
    """The picture is the second input."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.conv = nn.Linear(3, 1), nn.Conv2d(1, 1, 3)

    def forward(self, numbers: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        return self.conv(picture) + self.dense(numbers)[..., None, None]


def test_the_picture_need_not_be_the_first_input() -> None:
    graph = capture(Second(), [(1, 3), (1, 1, 6, 6)])
    made = propagate(graph)
    assert reads(graph, made, graph.outputs[0][1], (1, 2)).box == (1, 2, 3, 3)
