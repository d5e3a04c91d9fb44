"""What stands around linear layers and attention: found by what it does, else left alone."""

from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from kernel_in_torch import HERE
from torch import Tensor, nn

from convatlas.models.swin import Swin, SwinSpec
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.engines.engine import Job
from convatlas.runtime.engines.kernel import build, lowered
from convatlas.runtime.network import Network, random_pixels


def calls_of(module: nn.Module, shape: tuple[int, int, int], batch: int = 2) -> Counter[str]:
    """What is left in the graph, once it computes the same."""
    torch.manual_seed(0)
    job = Job(network=Network(name="odd", module=module.eval(), shape=shape), batch=batch)
    fed = random_pixels(job.shape)
    assert relative_error(build(job, HERE)(fed), job.network.eager(fed)) < 1e-4
    nodes = lowered(job, HERE).graph.nodes
    return Counter(str(node.target) for node in nodes if node.op == "call_function")


def kernels(calls: Counter[str]) -> dict[str, int]:
    return {key.split(".")[1]: n for key, n in calls.items() if key.startswith("convatlas_")}


@pytest.mark.parametrize("side", [56, 60, 224 // 4])
def test_a_swin_transformer_is_seven_calls_a_block(side: int) -> None:
    spec = SwinSpec(width=32, depths=(2, 2), stochastic_depth=0.0, image_size=side)
    torch.manual_seed(0)
    network = Swin(spec)
    for parameter in network.parameters():  # tables, biases and norms that are not as made
        nn.init.normal_(parameter, std=0.3)
    calls = calls_of(network, (3, side, side))
    assert kernels(calls) == {
        "pack_maps": 1,
        "conv": 1,
        "rows": 4 * 2 + 1,
        "linear": 4 * 4 + 1,
        "attention": 4,
        "pooled": 1,
    }
    # two norms that others read too, and what makes maps of rows and scores of maps
    assert set(calls) <= {
        *(f"aten.{name}.default" for name in ("layer_norm", "permute", "reshape", "linear")),
        *(f"convatlas_{HERE.name}.{name}.default" for name in kernels(calls)),
    }
    assert calls["aten.layer_norm.default"] == 2


class Rows(nn.Module):
    """Something done to rows of 32, between two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(32, 64), nn.Linear(64, 10)
        self.norm = nn.LayerNorm(64)

    def between(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self.first(x))).flatten(1)


class Nothing(Rows):
    pass


class Tanh(Rows):
    def between(self, x: Tensor) -> Tensor:
        return F.gelu(x, approximate="tanh")


class ReadTwice(Rows):
    def between(self, x: Tensor) -> Tensor:
        return F.gelu(x) + x


class Normed(Rows):
    def between(self, x: Tensor) -> Tensor:
        return F.pad(self.norm(x), (0, 0, 1, 0))


class PaddedThenNormed(Rows):
    def between(self, x: Tensor) -> Tensor:
        return self.norm(F.pad(x, (0, 0, 1, 2)).flip(2).roll(1, 1))


class PaddedByOnes(Rows):
    def between(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 1, 0), value=1.0)


class OverTwoAxes(Rows):
    def between(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-2:])


class NormReadTwice(Rows):
    def between(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        return normed.roll(1, 2) + self.last(normed).sum()


class Channels(Rows):
    def between(self, x: Tensor) -> Tensor:
        return x.roll(1, 3).flip(3)


class AddedAcross(Rows):
    def between(self, x: Tensor) -> Tensor:
        return F.gelu(x + x.new_ones(64).cumsum(0))


class AddedTwice(Rows):
    def between(self, x: Tensor) -> Tensor:
        return torch.add(x, self.norm(x), alpha=2)


WATCHED = {"add", "flip", "gelu", "layer_norm", "pad", "roll"}


@pytest.mark.parametrize(
    ("module", "packed", "left"),
    [
        (Nothing(), 1, set()),
        (Tanh(), 2, {"gelu"}),
        (ReadTwice(), 2, {"gelu", "add"}),
        (Normed(), 2, set()),
        (PaddedThenNormed(), 2, set()),
        (PaddedByOnes(), 2, {"pad"}),
        (OverTwoAxes(), 2, {"layer_norm"}),
        (NormReadTwice(), 3, {"layer_norm", "roll", "add"}),
        (Channels(), 2, {"roll", "flip"}),
        (AddedAcross(), 2, {"gelu", "add"}),
        (AddedTwice(), 2, {"layer_norm", "add"}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_between_linear_layers(module: nn.Module, packed: int, left: set[str]) -> None:
    calls = calls_of(module, (3, 5, 32))
    assert kernels(calls)["rows"] == packed
    assert WATCHED & {name.split(".")[1] for name in calls if name.startswith("aten")} == left


class Heads(nn.Module):
    """Attention of 9 rows of 3 x 64 numbers, in one way or another."""

    def __init__(self, *, width: int = 32, axis: int = -1, scale: float = 0.2) -> None:
        super().__init__()
        self.width, self.axis, self.scale = width, axis, scale
        self.qkv = nn.Linear(24, 6 * width)
        self.bias = nn.Parameter(torch.randn(2, 9, 9))

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return q * self.scale @ k.mT + self.bias

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(x.flatten(2).unflatten(2, (9, 24)))
        q, k, v = parts.unflatten(-1, (3, 2, self.width)).permute(3, 0, 1, 4, 2, 5).unbind(0)
        return (self.scores(q, k).softmax(self.axis) @ v).transpose(2, 3).flatten(1)


class ScaledAfter(Heads):
    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return q @ k.mT * self.scale + self.bias + self.bias.new_full((9, 9), -100).triu()


class Computed(Heads):
    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return q @ k.mT + k.mean(-1, keepdim=True)


class OfAnother(Heads):
    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return q @ k.relu().mT


class Shared(Heads):
    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return q @ k[:, :1].mT


class Interleaved(Heads):
    """Numbers of the two heads side by side: no row of a head is one run of memory."""

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(x.flatten(2).unflatten(2, (9, 24)))
        q, k, v = parts.unflatten(-1, (3, self.width, 2)).permute(3, 0, 1, 5, 2, 4).unbind(0)
        return (self.scores(q, k).softmax(-1) @ v).transpose(2, 3).flatten(1)


@pytest.mark.parametrize(
    ("module", "found"),
    [
        (Heads(), True),
        (Interleaved(), False),
        (Heads(width=64), True),
        (Heads(width=16), False),  # not a multiple of 32
        (Heads(axis=-2), False),
        (ScaledAfter(), True),
        (Computed(), False),
        (OfAnother(), False),
        (Shared(), False),  # all groups read the first's keys
    ],
    ids=lambda each: type(each).__name__,
)
def test_attention_is_found_by_what_it_reads(module: nn.Module, found: bool) -> None:
    calls = calls_of(module, (4, 24, 9))
    assert kernels(calls).get("attention", 0) == found
    assert (calls["aten.softmax.int"] == 0) == found


class RowsOfMaps(nn.Module):
    """A layer over the columns of a convolution's maps, and a convolution over its channels."""

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(32, 32, 1), nn.Conv2d(32, 5, 1)
        self.over, self.also = nn.Linear(width, 40), nn.Linear(40, 33)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.first(x)
        return self.last(self.also(self.over(maps))).flatten(1)


class RowsOfMeans(RowsOfMaps):
    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.over(F.adaptive_avg_pool2d(x, 1))).flatten(1)


@pytest.mark.parametrize(
    ("module", "calls"),
    [
        (RowsOfMaps(), {"pack_maps": 2, "conv": 2, "rows": 1, "linear": 2}),
        (RowsOfMeans(width=1), {"pooled": 1, "rows": 1, "linear": 1, "pack_maps": 1, "conv": 1}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_halves_of_channels_are_not_read_as_rows(module: nn.Module, calls: dict[str, int]) -> None:
    assert kernels(calls_of(module, (32, 1, 32))) == calls


class OneBias(nn.Module):
    def __init__(self, *size: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(40, 32)), nn.Parameter(torch.randn(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.flatten(0, 2), self.weight, self.bias).unflatten(0, (len(x), -1))


@pytest.mark.parametrize(("size", "taken"), [((40,), 1), ((1,), 0), ((30, 40), 0), ((30, 1), 0)])
def test_a_bias_that_is_not_one_number_for_each_output(size: tuple[int, ...], taken: int) -> None:
    assert kernels(calls_of(OneBias(*size), (3, 5, 32))).get("linear", 0) == taken
