"""Embeddings, fillers and kinds of numbers."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


class Calls(nn.Module):
    """A function of any number of inputs as a module."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> object:
        return self.function(*inputs)


def test_embedding() -> None:
    graph = capture(nn.Embedding(10, 4), torch.zeros(2, 5, dtype=torch.long))
    assert propagate(graph).shapes[-1] == (2, 5, 4)
    assert graph.nodes[-1].dtype == "float32"
    assert not graph.unused
    assert not graph.unknown


def test_a_bag_of_embeddings_is_not_known() -> None:
    graph = capture(nn.EmbeddingBag(10, 4), torch.zeros(2, 5, dtype=torch.long))
    assert propagate(graph).shapes[graph.outputs[0][1]] == (2, 4)
    assert [node.operation.function for node in graph.unknown] == [
        "aten._embedding_bag_forward_only"
    ]  # type: ignore[attr-defined]
    assert not graph.unused


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_a_bare_shape_is_of_the_networks_kind(kind: torch.dtype) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).to(kind)
    assert {node.dtype for node in capture(net, (2, 3, 8, 8)).nodes} == {str(kind)[6:]}


KINDS = [
    lambda x: x.half() + x,
    lambda x: x.to(torch.float64) * torch.tensor(2),
    lambda x: x.to(dtype=torch.bfloat16),
    lambda x: x.double().type_as(x),
    lambda x: (x > 0).sum(),
    lambda x: (x > 0) & (x < 1),
    lambda x: (x > 0).float().mean(),
    lambda x: x.argmax(1),
    lambda x: x.long() / 2,
    lambda x: x.long() + 1.5,
    lambda x: x.long() * 2,
    lambda x: x * torch.tensor(2.0, dtype=torch.float64),
    lambda x: x.bool() | (x == 0),
    lambda x: torch.cat([x, x.double()]),
    lambda x: x.any(1),
    lambda x: torch.fft.fft2(x),
    lambda x: torch.fft.fft2(x).abs(),
    lambda x: torch.fft.rfft(x).real,
    lambda x: x * 1j,
    lambda x: x.detach().data.cpu(),
    lambda x: torch.zeros_like(x, dtype=torch.int32),
    lambda x: x.new_ones(x.shape[0], dtype=torch.int64),
    lambda x: torch.arange(x.shape[1]),
    lambda x: x.int().float(),
]


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_kinds_of_numbers_follow_torch(number: int) -> None:
    function = KINDS[number]
    graph = capture(Calls(function), (2, 6))
    (output,) = [node for _, node in graph.outputs]
    real = function(torch.ones(2, 6))
    assert graph.nodes[output].dtype == str(real.dtype)[6:]
    assert propagate(graph).shapes[output] == tuple(real.shape)


def test_what_is_not_known_is_listed() -> None:
    graph = capture(Calls(lambda x: torch.fft.fft2(x).abs()), (2, 3, 8, 8))
    assert len(graph.unknown) == 1
    graph = capture(Calls(lambda x: torch.topk(x, 2)), (2, 8))
    assert len(graph.unknown) == 1
    assert [propagate(graph).shapes[node] for _, node in graph.outputs] == [(2, 2), (2, 2)]
    graph = capture(Calls(lambda x: torch.linalg.inv(x)), (3, 3))
    assert graph.unknown


LAYERS = [
    (nn.PReLU(6), (2, 6, 8, 8)),
    (nn.GLU(1), (2, 6, 8, 8)),
    (nn.Identity(), (2, 6, 8, 8)),
    (nn.Upsample(scale_factor=2, mode="bilinear"), (2, 6, 8, 8)),
    (nn.Unfold(3, padding=1), (2, 6, 8, 8)),
    (nn.Fold((8, 8), 2, stride=2), (2, 24, 16)),
    (nn.ChannelShuffle(2), (2, 6, 8, 8)),
    (nn.PixelShuffle(2), (2, 8, 4, 4)),
    (nn.ZeroPad2d(2), (2, 6, 8, 8)),
    (nn.ReflectionPad2d(2), (2, 6, 8, 8)),
    (nn.Softmax2d(), (2, 6, 8, 8)),
    (nn.Hardswish(), (2, 6)),
    (nn.Softmin(1), (2, 6)),
    (nn.RReLU(), (2, 6)),
    (nn.CosineSimilarity(), [(2, 6), (2, 6)]),
    (nn.FractionalMaxPool2d(2, 3), (2, 6, 8, 8)),
    (nn.LPPool2d(2, 2), (2, 6, 8, 8)),
    (nn.AdaptiveAvgPool1d(3), (2, 6, 8)),
    (nn.Flatten(), (2, 6, 8, 8)),
    (nn.Unflatten(1, (2, 3)), (2, 6, 8)),
    (nn.Dropout2d(), (2, 6, 8, 8)),
    (nn.AlphaDropout(), (2, 6)),
    (nn.Threshold(0.1, 2), (2, 6)),
]
UNKNOWN = (nn.FractionalMaxPool2d,)


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda v: str(v)[:24])
@pytest.mark.parametrize("training", [True, False])
def test_layers_of_torch(layer: nn.Module, shape: tuple[int, ...], *, training: bool) -> None:
    graph = capture(layer, shape, training=training)
    shapes = shape if isinstance(shape, list) else [shape]
    real = layer.train(training)(*map(torch.ones, shapes))
    assert propagate(graph).shapes[graph.outputs[0][1]] == tuple(real.shape)
    assert bool(graph.unknown) == isinstance(layer, UNKNOWN)
    assert not graph.unused
    assert propagate(graph).macs == 0
