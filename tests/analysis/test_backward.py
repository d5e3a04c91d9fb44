"""The predicted peak against torch's own record of allocations."""

from collections.abc import Callable

import pytest
import torch
from memory_by_torch import peak
from references import torchvision
from torch import Tensor, nn

from convatlas import models
from convatlas.analysis.backward import Step, step
from convatlas.analysis.memory import training_memory
from convatlas.analysis.tape import taped
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate

tv = torchvision.models


def steps(module: nn.Module, shape: tuple[int, ...]) -> Step:
    graph = capture(module.train(), shape)
    return step(graph, taped(graph, propagate(graph)))


def test_a_chain_by_hand() -> None:
    net = nn.Sequential(nn.Linear(8, 6), nn.Sigmoid(), nn.Linear(6, 2))
    found = steps(net, (4, 8))
    image, hidden, scores = 4 * 4 * 8, 4 * 4 * 6, 4 * 4 * 2
    one, two = 4 * (48 + 6), 4 * (12 + 2)
    assert found.forward == (image, image + hidden, image + 2 * hidden, image + hidden + scores)
    there = image + hidden + scores  # image, what the sigmoid made, scores
    assert found.backward == (
        0,
        image + scores + two + hidden + one,
        there + two + 2 * hidden,
        there + scores + two + hidden,
    )
    assert found.gradients == one + two


def test_the_sum_of_a_shortcut_passes_its_gradient_on() -> None:
    class Shortcut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            made: Tensor = x + self.second(x)
            return made

    found = steps(Shortcut(), (4, 8))
    size, weight = 4 * 32, 4 * 64
    there = 3 * size  # image, what the first makes, result
    assert found.backward[3] == there + size
    # the second reads the gradient that the shortcut still holds, and makes one beside it
    assert found.backward[2] == there + size + weight + size
    # it is the only one left when the two are added
    assert found.backward[1] == 2 * size + size + 2 * weight


def test_a_weight_used_twice_has_one_gradient() -> None:
    shared = nn.Linear(8, 8, bias=False)
    assert steps(nn.Sequential(shared, nn.Tanh(), shared), (4, 8)).gradients == 4 * 64


def test_nothing_trained_has_no_way_back() -> None:
    net = nn.Sequential(nn.Linear(8, 8), nn.ReLU()).requires_grad_(False)
    assert steps(net, (4, 8)).backward == (0, 0, 0)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], float]] = {
    "densenet121": (lambda: tv.densenet121(), (4, 3, 96, 96), 0.01),
    "mobilenet_v2": (lambda: tv.mobilenet_v2(), (4, 3, 96, 96), 0.01),
    "swin_t": (lambda: tv.swin_t(), (1, 3, 96, 96), 0.01),
    "resnet18": (lambda: tv.resnet18(), (8, 3, 96, 96), 0.05),
    # oneDNN lays the gradient of a 3x3x1024x512 weight out once more
    "unet": (lambda: models.create("unet"), (1, 1, 220, 220), 0.06),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_peak_as_allocated(name: str) -> None:
    build, shape, tolerance = NETWORKS[name]
    module = build().train()
    found = training_memory(capture(module, shape), optimiser="sgd")
    image = torch.rand(shape)
    beyond = found.peak - found.fixed - image.numel() * image.element_size()
    assert beyond == pytest.approx(peak(module, image), rel=tolerance)
