"""Which sides a network takes, by brute force: from its graph, and by torch itself."""

from collections.abc import Sequence

import pytest
import torch
from ailing import runs, sides, tutorial_alexnet
from torch import Tensor, nn

from convatlas import atlas, models
from convatlas.analysis.legal import Legal, legal, square, takes
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import OtherWay, propagate


def taken(graph: Graph, upto: int) -> list[int]:
    """Sides that pass the whole graph, one by one."""
    found = []
    for side in range(1, upto + 1):
        try:
            propagate(graph, square(graph, side))
        except OtherWay:
            pass
        except UserError:
            continue
        found.append(side)
    return found


def run(found: Legal) -> Sequence[int]:
    """The sides of the first run."""
    assert found.smallest is not None
    last = found.looked if found.largest is None else found.largest
    return range(found.smallest, last + 1, found.step)


@pytest.mark.parametrize(
    "name",
    [
        *("lenet5", "lenet-bn", "alexnet", "alexnet-28", "vgg16", "vgg15-cifar", "zfnet"),
        *("nin-imagenet", "resnet18-a", "densenet-40-12-cifar", "googlenet", "unet"),
        *("unet-padded", "mobilenet_v1", "inception_v3", "resnet20-cifar"),
    ],
)
def test_every_side_of_the_graph(name: str) -> None:
    graph = atlas.graph(name)
    found = legal(graph)
    brute = taken(graph, found.looked)
    claimed = list(run(found))
    assert brute[: len(claimed)] == claimed
    assert (len(brute) > len(claimed)) == found.others
    assert found.untold == 0


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_ends_and_their_neighbours_for_every_network(name: str) -> None:
    graph = atlas.graph(name)
    found = legal(graph)
    assert found.smallest is not None
    assert found.smallest in taken(graph, found.smallest)
    assert found.smallest - 1 not in taken(graph, found.smallest - 1)
    own = graph.inputs[0][2]
    assert found.smallest <= own <= (found.largest or found.looked)


@pytest.mark.parametrize(
    ("name", "upto"),
    [
        *(("lenet5", 48), ("alexnet-28", 40), ("vgg15-cifar", 48), ("resnet20-cifar", 24)),
        *(("densenet-40-12-cifar", 24), ("unet-padded", 50), ("se-resnet50", 24), ("swin_t", 40)),
        *(("nin-cifar", 24), ("eca-resnet18", 12)),
    ],
)
def test_torch_takes_the_same(name: str, upto: int) -> None:
    module = models.blueprint(name).layout()
    found = legal(atlas.graph(name))
    expected = [side for side in run(found) if side <= upto]
    assert sides(module, atlas.entry(name).input[0], upto) == expected


def test_the_tutorials_alexnet() -> None:
    """Worked out in `tutorial_alexnet`, and tried by torch side by side."""
    module = tutorial_alexnet()
    found = legal(capture(module, (1, 1, 224, 224), training=False))
    assert (found.smallest, found.largest, found.mapped, found.others) == (193, 224, 65, False)
    assert sides(module, 1, 260) == list(range(193, 225))
    maps = module[:13]
    assert sides(maps, 1, 80) == list(range(65, 81))


class Halved(nn.Module):
    """Down and up again with a sum, which only even sides allow; by fours with two of them."""

    def forward(self, x: Tensor) -> Tensor:
        low = nn.functional.max_pool2d(x, 2)
        return x + nn.functional.interpolate(low, scale_factor=2.0)


class Viewed(nn.Module):
    """The maps of 4x4 seen as vectors of 16: other sizes would mix pictures, if at all."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x.view(-1, 16), torch.ones(2, 16))


def test_sides_apart() -> None:
    graph = capture(Halved(), (1, 3, 8, 8))
    found = legal(graph)
    assert (found.smallest, found.largest, found.step, found.others) == (2, None, 2, False)
    assert takes(graph, found) == "Halved takes squares of 2, 4 and so on, 2 apart"


def test_a_view_that_mixes_pictures_is_not_taken() -> None:
    found = legal(capture(Viewed(), (1, 1, 4, 4)))
    assert (found.smallest, found.largest, found.others) == (4, 4, False)


def test_words() -> None:
    graph = atlas.graph("lenet5")
    both = {"smallest": 32, "largest": 35}
    assert takes(graph, Legal(**both)) == "lenet5 takes squares of 32 to 35"
    assert takes(graph, Legal(**both, others=True)).endswith("32 to 35, and others")
    assert takes(graph, Legal(smallest=32)) == "lenet5 takes squares of 32 and more"
    assert takes(graph, Legal(smallest=7, largest=7)) == "lenet5 takes squares of 7 alone"
    assert takes(graph, Legal()) == "lenet5 takes squares of no side up to 1024"
    assert "32, 48 to 96, 16 apart" in takes(graph, Legal(smallest=32, largest=96, step=16))
    assert "its code does something else" in takes(graph, Legal(smallest=4, untold=3))


def test_other_axes() -> None:
    line = capture(nn.Sequential(nn.Conv1d(2, 3, 5), nn.MaxPool1d(2)), (1, 2, 9))
    assert takes(line, legal(line)) == "Sequential takes lengths of 6 and more"
    cube = capture(nn.Conv3d(1, 2, 3), (1, 1, 4, 4, 4))
    assert takes(cube, legal(cube)) == "Conv3d takes cubes of 3 and more"
    none = capture(nn.Linear(784, 10), (1, 784))
    assert legal(none) == Legal()
    assert takes(none, legal(none)) == (
        "Linear takes inputs of 784, and no picture whose size could change"
    )


def test_the_batch_counts_in_training() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    graph = capture(module, (2, 1, 8, 8), training=True)
    assert legal(graph, 2).smallest == 3
    assert legal(graph, 1).smallest == 4  # 3x3 leaves a single value a map
    assert runs(module, (2, 1, 3, 3), training=True)
    assert not runs(module, (1, 1, 3, 3), training=True)
    assert runs(module, (1, 1, 4, 4), training=True)
