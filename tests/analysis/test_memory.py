"""Whole networks against what torch's own hooks see being kept; every size must be exact."""

from collections.abc import Callable

import pytest
import torch
from memory_by_torch import saved
from references import timm, torchvision
from torch import nn

from convatlas import models
from convatlas.analysis.memory import OPTIMISERS, training_memory
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.document import read, write
from convatlas.graph.propagate import DoesNotFit

tv = torchvision.models
Shape = tuple[int, ...]


def ours(name: str) -> Callable[[], nn.Module]:
    return lambda: models.create(name)


def small_vit() -> nn.Module:
    return tv.VisionTransformer(32, 8, 2, 4, 64, 128, dropout=0.1)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "lenet5": (ours("lenet5"), (2, 1, 32, 32)),
    "lenet-relu": (ours("lenet-relu"), (3, 1, 28, 28)),
    "alexnet": (ours("alexnet"), (1, 3, 224, 224)),
    "vgg16": (lambda: tv.vgg16(init_weights=False), (1, 3, 32, 32)),
    "googlenet": (lambda: tv.googlenet(init_weights=False), (2, 3, 64, 64)),
    "resnet18": (lambda: tv.resnet18(), (2, 3, 64, 64)),
    "resnet50": (lambda: tv.resnet50(), (2, 3, 64, 64)),
    "densenet121": (lambda: tv.densenet121(), (2, 3, 64, 64)),
    "inception_v3": (lambda: tv.inception_v3(init_weights=False), (2, 3, 299, 299)),
    "swin_t": (lambda: tv.swin_t(), (2, 3, 64, 96)),
    "vit": (small_vit, (2, 3, 32, 32)),
    "mobilenet_v2": (lambda: tv.mobilenet_v2(), (2, 3, 64, 64)),
    "mobilenet_v3": (lambda: tv.mobilenet_v3_small(), (2, 3, 64, 64)),
    "efficientnet": (lambda: tv.efficientnet_b0(), (2, 3, 64, 64)),
    "convnext": (lambda: tv.convnext_tiny(), (1, 3, 64, 64)),
    "unet": (ours("unet"), (1, 1, 188, 188)),
    "se-resnet50": (ours("se-resnet50"), (2, 3, 64, 64)),
    "timm's ViT": (lambda: timm.create_model("vit_tiny_patch16_224", depth=2), (2, 3, 224, 224)),
    "timm's XCiT": (lambda: timm.create_model("xcit_nano_12_p16_224"), (1, 3, 224, 224)),
    "timm's ResNeSt": (lambda: timm.create_model("resnest14d"), (2, 3, 64, 64)),
}


def expected(module: nn.Module, shape: Shape) -> int:
    torch.manual_seed(0)
    return sum(saved(module, torch.rand(shape)))


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_what_autograd_keeps_is_known_to_the_byte(name: str) -> None:
    build, shape = NETWORKS[name]
    module = build().train()
    graph = capture(module, shape)
    found = training_memory(graph)
    assert found.saved == expected(module, shape)
    assert found.saved == sum(node.kept for node in found.nodes)
    assert training_memory(read(write(graph))) == found


@pytest.mark.parametrize(
    ("name", "captured", "asked"),
    [
        ("lenet-relu", (1, 1, 28, 28), (5, 1, 28, 28)),
        ("resnet18", (1, 3, 64, 64), (3, 3, 96, 65)),
        ("swin_t", (1, 3, 64, 64), (2, 3, 96, 72)),
        ("mobilenet_v3", (1, 3, 64, 64), (3, 3, 40, 56)),
        ("vit", (1, 3, 32, 32), (3, 3, 32, 32)),
    ],
)
def test_other_sizes_than_captured(name: str, captured: Shape, asked: Shape) -> None:
    module = NETWORKS[name][0]().train()
    found = training_memory(capture(module, captured), (asked,))
    assert (found.inputs, found.saved) == ((asked,), expected(module, asked))


@pytest.mark.parametrize("name", ["lenet-relu", "resnet18", "alexnet", "mobilenet_v3", "vit"])
def test_a_graph_captured_in_evaluation_mode(name: str) -> None:
    """Batch norm and dropout are what they are in training."""
    build, shape = NETWORKS[name]
    module = build()
    found = training_memory(capture(module, shape, training=False))
    assert found.saved == expected(module.train(), shape)


@pytest.mark.parametrize("name", ["lenet-relu", "resnet18", "alexnet", "vit"])
@pytest.mark.parametrize("captured", [True, False])
def test_training_on_fixed_statistics(name: str, captured: bool) -> None:
    build, shape = NETWORKS[name]
    module = build()
    found = training_memory(capture(module, shape, training=captured), training=False)
    assert found.saved == expected(module.eval(), shape)


@pytest.mark.parametrize("name", ["resnet18", "alexnet", "mobilenet_v3", "swin_t"])
def test_frozen_layers_keep_only_what_later_ones_need(name: str) -> None:
    build, shape = NETWORKS[name]
    module = build().train()
    weights = list(module.parameters())
    for weight in weights[: len(weights) // 2]:
        weight.requires_grad_(False)
    for weight in weights[3 * len(weights) // 4 :: 2]:
        weight.requires_grad_(False)
    found = training_memory(capture(module, shape))
    assert found.saved == expected(module, shape)
    trained = sum(4 * weight.numel() for weight in weights if weight.requires_grad)
    assert found.gradients == found.state == trained


def test_weights_buffers_gradients_and_state() -> None:
    module = tv.resnet18().train()
    found = training_memory(capture(module, (1, 3, 64, 64)), optimiser="adam")
    weights = sum(4 * weight.numel() for weight in module.parameters())
    buffers = sum(b.numel() * b.element_size() for b in module.buffers())
    assert (found.parameters, found.gradients, found.buffers) == (weights, weights, buffers)
    assert found.fixed == found.parameters + found.buffers + found.state
    assert found.peak > found.fixed + found.gradients
    assert found.nodes[found.at].path == found.path


TORCH = {
    "sgd": lambda weights: torch.optim.SGD(weights, 0.1),
    "momentum": lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.9),
    "nesterov": lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.9, nesterov=True),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "rprop": torch.optim.Rprop,
    "adadelta": torch.optim.Adadelta,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "radam": torch.optim.RAdam,
    "nadam": torch.optim.NAdam,
    "amsgrad": lambda weights: torch.optim.Adam(weights, amsgrad=True),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_state_of_every_optimiser(name: str) -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3)).train()
    optimiser = TORCH[name](module.parameters())
    module(torch.rand(2, 6)).sum().backward()
    optimiser.step()
    kept = [t for state in optimiser.state.values() for t in state.values()]
    real = sum(t.numel() * t.element_size() for t in kept if isinstance(t, torch.Tensor))
    assert training_memory(capture(module, (2, 6)), optimiser=name).state == real


def test_rows_are_the_nodes_that_make_or_keep_something() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, 4))
    found = training_memory(capture(net.train(), (2, 1, 8, 8)), optimiser="sgd")
    image, maps, scores = 512, 576, 32
    rows = [(row.path, row.kind, row.made, row.kept) for row in found.rows()]
    assert rows == [
        ("", "Input", image, 0),
        ("0", "Conv", maps, image),
        ("1", "Activation", 0, maps),
        ("3", "Dense", scores, 0),
    ]
    fixed = 4 * (20 + 72 * 4 + 4)
    assert [row.forward - fixed for row in found.nodes[:4]] == [512, 1088, 1088, 1088]
    # backward through the dense layer: its own gradients, that of its result and of its input
    assert found.nodes[-1].backward == fixed + image + maps + 2 * scores + 4 * 292 + maps


def test_errors_name_the_way_out() -> None:
    graph = capture(models.create("lenet-relu"), (1, 1, 28, 28))
    with pytest.raises(
        UserError, match=r"unknown optimiser 'adma', expected one of .*mean .*'adam'"
    ):
        training_memory(graph, optimiser="adma")
    with pytest.raises(DoesNotFit):
        training_memory(graph, ((1, 1, 40, 40),))


def test_what_cannot_be_counted_is_named() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.inv(x)

    found = training_memory(capture(nn.Sequential(nn.Linear(4, 4), Odd()), (4, 4)))
    assert found.unknown
    assert "inv" in found.unknown[0]
