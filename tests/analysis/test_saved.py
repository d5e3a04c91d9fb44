"""Each operation alone, against what torch keeps of it, with trained and with frozen weights."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from memory_by_torch import saved
from torch import Tensor, nn

from convatlas.analysis.memory import training_memory
from convatlas.capture.capture import capture
from convatlas.models.lenet import RadialBasis, SubSampling, TableConvolution

SHAPE = (2, 6, 8, 8)


class Doing(nn.Module):
    """A function of a tensor that takes a gradient."""

    def __init__(self, what: Callable[[Tensor], Tensor], shape: tuple[int, ...] = SHAPE) -> None:
        super().__init__()
        self.what = what
        self.shift = nn.Parameter(torch.rand(shape[1:]))

    def forward(self, x: Tensor) -> Tensor:
        return self.what(x + self.shift)


def check(module: nn.Module, shape: tuple[int, ...] = SHAPE) -> None:
    module.train()
    graph = capture(module, shape)
    assert not graph.unknown
    assert training_memory(graph).saved == sum(saved(module, torch.rand(shape)))


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: nn.Conv2d(6, 4, 3, padding=1),
    "conv with stride, groups, no bias": lambda: nn.Conv2d(6, 4, 3, 2, groups=2, bias=False),
    "conv with mirrored border": lambda: nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"),
    "conv with repeated border": lambda: nn.Conv2d(6, 4, 3, padding=1, padding_mode="replicate"),
    "conv, as large as before": lambda: nn.Conv2d(6, 4, 3, padding="same"),
    "transposed conv": lambda: nn.ConvTranspose2d(6, 4, 2, 2),
    "batch norm": lambda: nn.BatchNorm2d(6),
    "batch norm without weights": lambda: nn.BatchNorm2d(6, affine=False),
    "layer norm": lambda: nn.LayerNorm((6, 8, 8)),
    "layer norm of rows": lambda: nn.LayerNorm(8, elementwise_affine=False),
    "group norm": lambda: nn.GroupNorm(3, 6),
    "response norm": lambda: nn.LocalResponseNorm(5),
    "response norm of an even number": lambda: nn.LocalResponseNorm(4),
    "max pool": lambda: nn.MaxPool2d(3, 2, 1),
    "average pool": lambda: nn.AvgPool2d(2),
    "adaptive average pool": lambda: nn.AdaptiveAvgPool2d(3),
    "global average pool": lambda: nn.AdaptiveAvgPool2d(1),
    "adaptive max pool": lambda: nn.AdaptiveMaxPool2d(3),
    "dense": lambda: nn.Linear(8, 5),
    "dense without bias": lambda: nn.Linear(8, 5, bias=False),
    "upsampling": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "pixel shuffle": lambda: nn.PixelUnshuffle(2),
    "LeNet's sub-sampling": lambda: SubSampling(6),
    "LeNet's table": lambda: TableConvolution(6, ((0, 1, 2), (3, 4, 5), (0, 5))),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_layers(name: str, frozen: bool, first: bool) -> None:
    """``first``: nothing before the layer is trained."""
    layer = LAYERS[name]().requires_grad_(not frozen)
    check(nn.Sequential(layer) if first else nn.Sequential(Doing(lambda x: x), layer))


def test_one_axis_and_three() -> None:
    check(nn.Sequential(nn.Conv1d(3, 4, 3), nn.MaxPool1d(2), nn.AvgPool1d(2)), (2, 3, 16))
    check(nn.Sequential(nn.Conv3d(1, 4, 3), nn.MaxPool3d(2)), (1, 1, 8, 8, 8))
    check(nn.Sequential(Doing(lambda x: x, (2, 6, 16)), nn.LocalResponseNorm(3)), (2, 6, 16))
    check(nn.Sequential(Doing(lambda x: x, (2, 84)), RadialBasis()), (2, 84))


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda x: x.sum(1),
    "mean": lambda x: x.mean((2, 3)),
    "largest along an axis": lambda x: x.max(1)[0],
    "largest of all": lambda x: x.max(),
    "largest values": lambda x: x.amax((2, 3)),
    "product of all": lambda x: x.prod(),
    "deviation": lambda x: x.std(1),
    "variance": lambda x: x.var(1),
    "length": lambda x: x.norm(dim=1),
    "logarithm of sums": lambda x: x.logsumexp(1),
    "cat, roll, pad": lambda x: F.pad(torch.cat([x, x.roll(2, 3)], 1), (1, 1)),
    "channels last norm": lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (6,)),
    "group norm out of order": lambda x: F.group_norm(x.permute(0, 3, 1, 2), 2),
    "product of matrices": lambda x: x @ x.transpose(2, 3),
    "product out of order": lambda x: x.permute(0, 2, 1, 3) @ x.permute(0, 2, 3, 1),
    "product with a matrix": lambda x: x @ x[0, 0],
    "product of a matrix with many": lambda x: x[0, 0] @ x,
    "product of stretched batches": lambda x: x[:, :1] @ x.transpose(2, 3),
    "equation": lambda x: torch.einsum("bchw,bcvw->bchv", x, x),
    "equation with a copy": lambda x: torch.einsum("bchw,bkhw->bhck", x, x),
    "equation of one": lambda x: torch.einsum("bchw->bwc", x),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x),
    "attention of heads side by side": lambda x: F.scaled_dot_product_attention(
        *[x.view(2, 6, 8, 2, 4).flatten(0, 1).transpose(1, 2)] * 3
    ),
    "picked": lambda x: x.index_select(1, torch.tensor([0, 2, 4])),
    "picked in brackets": lambda x: x[:, torch.tensor([0, 2, 4])],
    "computed weights": lambda x: F.conv2d(x, x[:, :, :3, :3]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    check(Doing(FUNCTIONS[name]))


@pytest.mark.parametrize("batch", [1, 3])
def test_attention_of_a_transformer(batch: int) -> None:
    layer = nn.MultiheadAttention(16, 4, batch_first=True)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.attention = nn.LayerNorm(16), layer

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(x)
            made: Tensor = x + self.attention(x, x, x, need_weights=False)[0]
            return made

    check(Block(), (batch, 9, 16))


@pytest.mark.parametrize("batch", [1, 3])
def test_attention_whose_weights_are_asked_for(batch: int) -> None:
    """The fused kernel's logarithms are counted though nothing is fused here: 4 heads x 9 rows."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(16, 4)

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.attention(x, x, x)[0]
            return made

    module, shape = Block().train(), (9, batch, 16)
    found = training_memory(capture(module, shape)).saved
    assert found == sum(saved(module, torch.rand(shape))) + 4 * (4 * 9 * batch)


def test_a_table_that_is_looked_up_keeps_the_places() -> None:
    module = nn.Embedding(10, 6).train()
    places = torch.randint(10, (2, 7))
    assert training_memory(capture(module, places)).saved == sum(saved(module, places)) == 14 * 8


def test_without_anything_trained_nothing_is_kept() -> None:
    net = nn.Sequential(nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).requires_grad_(False)
    found = training_memory(capture(net, SHAPE, training=True))
    assert (found.saved, found.gradients, found.state, found.phase) == (0, 0, 0, "forward")
