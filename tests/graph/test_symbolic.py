import random

import pytest
import torch
import torch.nn.functional as F
from random_networks import Generator
from torch import Tensor, nn

from convatlas import atlas
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.polynomial import Polynomial
from convatlas.graph.propagate import propagate
from convatlas.graph.symbolic import Formulas, symbolic

NAMES = tuple(entry.name for entry in atlas.entries())
# Networks whose dense layers, or windows, fix the size of their pictures.
FIXED = {
    *("lenet5", "lenet-caffe", "lenet-sigmoid", "lenet-relu", "lenet-bn", "alexnet", "alexnet-28"),
    *("vgg11", "vgg11-lrn", "vgg13", "vgg16-c", "vgg16", "vgg19", "vgg15-cifar", "zfnet"),
    *("zfnet-b", "swin_t", "swin_s", "swin_b"),
}


def places(formulas: Formulas) -> list[tuple[int, int, int]]:
    """Inputs at which the formulas must hold: the smallest, larger ones, not square."""
    sides, captured = formulas.sides, formulas.graph.inputs[0]
    if "h" not in sides.free:
        return [(n, *captured[-2:]) for n in (sides.least[0], 5)]
    found = []
    for n, more, wider in ((sides.least[0], 0, 0), (1, 1, 2), (7, 6, 3)):
        h = sides.least[1] + more
        w = sides.least[2] + wider if "w" in sides.free else h
        found.append((max(n, sides.least[0]), h * sides.height, w * sides.width))
    return found


def check(formulas: Formulas) -> None:
    """The formulas give what propagation gives."""
    graph = formulas.graph
    for n, height, width in places(formulas):
        found = formulas.at(n, height, width)
        expected = propagate(graph, ((n, graph.inputs[0][1], height, width),))
        assert found == expected
        where = formulas.place(n, height, width)
        macs = formulas.macs
        assert (macs.at(*where) if isinstance(macs, Polynomial) else macs) == expected.macs


@pytest.mark.parametrize("name", NAMES)
def test_every_network(name: str) -> None:
    formulas = symbolic(atlas.graph(name))
    assert formulas.sides.free == ("N" if name in FIXED else "Nhw")
    assert bool(formulas.why) == (name in FIXED)
    check(formulas)


@pytest.mark.parametrize("seed", range(60))
def test_random_networks(seed: int) -> None:
    draw = random.Random(seed)
    size = (draw.randint(14, 40), draw.randint(14, 40))
    graph = capture(Generator(seed).network(size).eval(), (2, 2, *size))
    check(symbolic(graph))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "resnet50@torchvision",
            "MACs = N·(83,410,944·h·w + 2,048,000), H = 32·h, W = 32·w",
        ),
        ("unet-padded", "MACs = 187,875,328·N·h·w, H = 16·h, W = 16·w"),
        (
            "vgg16",
            "MACs = 15,470,264,320·N, any N, H = 224, W = 224 alone "
            "(dense.fc1 (Dense): 512·h² = 25088 at some sizes only)",
        ),
    ],
)
def test_text(name: str, text: str) -> None:
    assert str(symbolic(atlas.graph(name))) == text


def test_closed_form_of_one_convolution() -> None:
    graph = capture(nn.Conv2d(3, 8, 3, stride=2, padding=1), (2, 3, 32, 32))
    formulas = symbolic(graph)
    n, h, w = (Polynomial.variable(name, (1, 1, 1)) for name in "Nhw")
    assert formulas.shapes[1] == (n, 8, h, w)
    assert formulas.macs == n * 8 * 27 * h * w
    assert formulas.activations == n * 8 * h * w
    assert formulas.work == n * 8 * h * w  # the bias
    assert (formulas.sides.height, formulas.sides.width) == (2, 2)


def test_each_axis_has_its_own_stride() -> None:
    sides = symbolic(capture(nn.Conv2d(1, 1, 3, stride=(2, 3)), (1, 1, 30, 30))).sides
    assert (sides.height, sides.width) == (2, 3)


def test_the_smallest_size_is_found() -> None:
    """U-Net without padding: 188 is the smallest; of the multiples of 16 that is 192."""
    formulas = symbolic(atlas.graph("unet"))
    assert formulas.sides.least == (1, 12, 12)
    with pytest.raises(
        UserError, match=r"H = 16·h, W = 16·w, h ≥ 12, w ≥ 12; given N = 1, H = 176"
    ):
        formulas.at(1, 176, 192)


def test_other_sizes_are_refused() -> None:
    formulas = symbolic(atlas.graph("resnet18"))
    assert formulas.at(3).inputs == ((3, 3, 224, 224),)
    with pytest.raises(UserError, match="for H = 32·h, W = 32·w; given N = 1, H = 225, W = 224"):
        formulas.at(1, 225)
    fixed = symbolic(atlas.graph("alexnet"))
    with pytest.raises(UserError, match="any N, H = 224, W = 224 alone; given 1×256×256"):
        fixed.at(1, 256, 256)


class Square(nn.Module):
    """Its own code wants pictures as high as wide."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] != x.shape[3]:
            return x
        return F.relu(x)


def test_squares_alone() -> None:
    formulas = symbolic(capture(Square(), (1, 3, 8, 8)))
    assert formulas.sides.free == "Nh"
    assert "H = W = h" in str(formulas)
    assert formulas.at(2, 5, 5).work == 2 * 3 * 25
    with pytest.raises(UserError, match="H = W = h; given N = 2, H = 5, W = 6"):
        formulas.at(2, 5, 6)


class Pinned(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(2, -1) if x.shape[0] == 2 else x


def test_a_batch_that_the_code_compares() -> None:
    with pytest.raises(UserError, match="not even for the batch: N = 2 at some sizes only; ask"):
        symbolic(capture(Pinned(), (2, 3, 8, 8)))


def test_training_normalises_more_than_one_value() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4)).train()
    formulas = symbolic(capture(module, (4, 3, 2, 2)))
    assert formulas.sides.least[0] == 2
    assert "N ≥ 2" in str(formulas)


def test_networks_without_pictures() -> None:
    graph: Graph = capture(nn.Sequential(nn.Linear(5, 7), nn.ReLU()), (2, 5))
    formulas = symbolic(graph)
    assert str(formulas) == "MACs = 35·N, any N"
    assert formulas.at(9) == propagate(graph, ((9, 5),))


class Gated(nn.Module):
    """Axes of 1 are stretched, also where another could be 1: N = 1, h = 1."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        gated = x * x.mean((2, 3), keepdim=True)
        tokens = gated.flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(x.shape[0], -1, -1), tokens], 1) + self.token


def test_stretched_axes() -> None:
    formulas = symbolic(capture(Gated(), (2, 4, 6, 6)))
    assert formulas.sides == ("Nhw", 1, 1, (1, 1, 1))
    check(formulas)
