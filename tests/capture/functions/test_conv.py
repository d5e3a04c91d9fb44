"""Multiply-adds derived by hand beside each network; padding as torch does it."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from convatlas.capture.capture import capture
from convatlas.graph.conv import Conv
from convatlas.graph.propagate import propagate


def macs(module: nn.Module, *shape: int) -> int:
    graph = capture(module, shape)
    assert not graph.unknown
    return propagate(graph).macs


def shape_of(module: nn.Module, *shape: int) -> tuple[int, ...]:
    return propagate(capture(module, shape)).shapes[-1]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        # each of 16·16 inputs of 8 maps meets 4·4 weights of 4 maps
        (nn.ConvTranspose2d(8, 4, 4, 2, 1), (1, 8, 16, 16), 131_072),
        # groups of 2: 8 · 4 / 2 pairs of maps
        (nn.ConvTranspose2d(8, 4, 4, 2, 1, groups=2), (1, 8, 16, 16), 65_536),
        # output padding adds a border that no product falls on
        (nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1), (1, 8, 16, 16), 8 * 4 * 9 * 256),
        (nn.ConvTranspose1d(3, 5, 4, stride=2), (2, 3, 10), 2 * 3 * 5 * 4 * 10),
        (nn.ConvTranspose3d(2, 3, 2), (1, 2, 4, 5, 6), 2 * 3 * 8 * 120),
        (nn.Conv1d(3, 5, 3), (2, 3, 10), 2 * 3 * 5 * 3 * 8),
        (nn.Conv2d(4, 6, (3, 5), groups=2), (1, 4, 9, 9), 4 * 6 // 2 * 15 * 7 * 5),
        (nn.Conv3d(2, 3, 2, dilation=2), (1, 2, 4, 5, 6), 2 * 3 * 8 * 2 * 3 * 4),
        (nn.Conv2d(3, 8, 3, padding=1), (3, 8, 8), 3 * 8 * 9 * 64),  # without a batch
        (nn.Conv2d(3, 8, 4, padding="same"), (1, 3, 9, 9), 3 * 8 * 16 * 81),
        (nn.Conv2d(3, 8, 3, padding="same", dilation=(2, 3)), (1, 3, 9, 9), 3 * 8 * 9 * 81),
        (nn.Conv2d(3, 8, 4, padding="valid"), (1, 3, 9, 9), 3 * 8 * 16 * 36),
        (nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), (1, 3, 9, 9), 3 * 8 * 9 * 81),
        (nn.Conv2d(3, 8, 3, padding=2, padding_mode="reflect"), (1, 3, 9, 9), 3 * 8 * 9 * 121),
        (nn.Conv2d(3, 8, 3, 2, 1, padding_mode="replicate"), (1, 3, 9, 9), 3 * 8 * 9 * 25),
    ],
    ids=lambda value: repr(value) if isinstance(value, nn.Module) else None,
)
def test_products(module: nn.Module, shape: tuple[int, ...], expected: int) -> None:
    assert macs(module, *shape) == expected
    assert shape_of(module, *shape) == tuple(module(torch.zeros(shape)).shape)


def test_same_padding_of_an_even_kernel_is_larger_behind() -> None:
    (conv,) = [
        n.operation for n in capture(nn.Conv2d(1, 1, 4, padding="same"), (1, 1, 8, 8)).nodes
    ][1:]
    assert isinstance(conv, Conv)
    assert conv.padding == ((1, 2), (1, 2))


def test_a_function_with_a_modules_parameter() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = nn.Parameter(torch.zeros(6, 3, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(x, self.kernel, stride=2)

    graph = capture(Net(), (1, 3, 9, 9))
    assert propagate(graph).macs == 3 * 6 * 9 * 16
    assert graph.nodes[-1].parameters == (0,)
    assert not graph.unused


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        mean = weight.mean(dim=(1, 2, 3), keepdim=True)
        spread = torch.var(weight, dim=[1, 2, 3], keepdim=True, unbiased=False)
        return F.conv2d(x, (weight - mean) / torch.sqrt(spread + 1e-5), self.bias)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(
    "conv",
    [
        Standardised(3, 8, 3),
        parametrizations.weight_norm(nn.Conv2d(3, 8, 3)),
        parametrizations.spectral_norm(nn.Conv2d(3, 8, 3)).eval(),
    ],
)
def test_a_computed_weight_still_counts_its_parameters(conv: nn.Module, *, frozen: bool) -> None:
    for parameter in conv.parameters():
        parameter.requires_grad_(not frozen)
    graph = capture(conv, (1, 3, 8, 8))
    (node,) = [n for n in graph.nodes if isinstance(n.operation, Conv)]
    made = propagate(graph)
    assert made.shapes[graph.nodes.index(node)] == (1, 8, 6, 6)
    assert made.measures[graph.nodes.index(node)].macs == 3 * 8 * 9 * 36
    assert not graph.unused
    assert not graph.unknown
    assert graph.trainable + graph.frozen == sum(p.numel() for p in conv.parameters())
    assert (graph.trainable == 0) == frozen


def test_a_weight_that_depends_on_the_input_holds_for_one_batch() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.experts = nn.Parameter(torch.zeros(4, 8 * 3 * 9))

        def forward(self, x: Tensor) -> Tensor:
            n, c, h, w = x.shape
            weight = x.mean((2, 3)) @ self.experts[:c]
            made = F.conv2d(x.reshape(1, n * c, h, w), weight.view(n * 8, c, 3, 3), groups=n)
            return made.view(n, 8, h - 2, w - 2)

    graph = capture(Mixed(), (2, 3, 8, 8))
    made = propagate(graph)
    assert made.shapes[-1] == (2, 8, 6, 6)
    assert made.macs == 2 * 3 * 8 * 9 * 36 + 2 * 3 * 216
    assert propagate(graph, ((2, 3, 9, 9),)).shapes[-1] == (2, 8, 7, 7)
    with pytest.raises(ValueError, match=r"capture it at this size|cannot take"):
        propagate(graph, ((3, 3, 8, 8),))
