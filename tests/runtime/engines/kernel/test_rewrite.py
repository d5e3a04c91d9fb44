"""Whole networks on the kernel against torch."""

from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from kernel_in_torch import HERE
from runnable import network
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.engines.engine import Job
from convatlas.runtime.engines.kernel import build, lowered
from convatlas.runtime.network import Network, random_pixels


@pytest.mark.parametrize(
    ("name", "size", "batch"),
    [
        ("lenet5", None, 2),
        ("lenet-bn", None, 1),
        ("lenet-relu", None, 9),  # dense layers one after the other
        ("resnet20-cifar", None, 3),
        ("preact-resnet110-cifar", 16, 1),
        ("densenet-bc-100-12-cifar", None, 1),
        ("alexnet-28", None, 9),
        ("googlenet", 96, 1),
        ("se-resnet50", 64, 2),
        ("resnet20-cifar", None, 12),  # in parts
        ("mobilenet_v1-0.25", 64, 1),
        ("unet-padded", 64, 1),
        pytest.param("swin_t", None, 1, marks=pytest.mark.slow),
        pytest.param("inception_v3", 128, 2, marks=pytest.mark.slow),
    ],
)
def test_networks_compute_the_same(name: str, size: int | None, batch: int) -> None:
    job = Job(network=network(name, size), batch=batch)
    run = build(job, HERE)
    first, second = (random_pixels(job.shape, seed) for seed in range(2))
    kept = run(first)
    run(second)  # must not disturb what was returned before
    assert relative_error(kept, job.network.eager(first)) < 1e-4
    assert relative_error(run(second), job.network.eager(second)) < 1e-4


def graph_of(name: str, size: int) -> torch.fx.GraphModule:
    return lowered(Job(network=network(name, size), batch=1), HERE)


def test_a_residual_network_is_convolutions_and_two_pools() -> None:
    graph = graph_of("resnet20-cifar", 32).graph
    calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_function")
    assert calls[f"convatlas_{HERE.name}.conv.default"] == 19
    assert not {name for name in calls if "relu" in name or "norm" in name}
    # the paper's shortcut between sizes leaves pixels out and pads: torch does these two additions
    assert sum(calls.values()) < 19 * 2 + 16


def test_a_dense_network_concatenates_once() -> None:
    graph = graph_of("densenet-bc-100-12-cifar", 32).graph
    calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_function")
    assert calls["aten.cat.default"] == 1  # for the last norm, which no convolution reads


class Odd(nn.Module):
    """Names that the rewriting might want, and weights that are made while the network runs."""

    def __init__(self) -> None:
        super().__init__()
        self._kernel_0 = nn.Conv2d(3, 16, 3)
        self._kernel_1 = nn.Parameter(torch.randn(16, 1, 1))
        self._kernel_2 = nn.Parameter(torch.randn(16, 1, 1))
        self.register_buffer("_kernel_3", torch.randn(16, 1, 1))
        self.dense = nn.utils.parametrizations.weight_norm(nn.Linear(16, 10))
        self.tied = nn.Parameter(torch.randn(4, 10))

    def forward(self, x: Tensor) -> Tensor:
        maps = (self._kernel_0(x) + self._kernel_1) * self._kernel_2 + self.get_buffer("_kernel_3")
        maps = F.conv2d(
            maps,
            self._kernel_0.weight.transpose(0, 1),
            self._kernel_2[:3, 0, 0] * 2,
        )
        dense: Tensor = self.dense(self._kernel_0(maps).mean((2, 3)))
        return F.linear(dense, self.tied * 2)


class Ordered(nn.Module):
    """Names in an order that is not theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        for number in (3, 2, 1, 0):
            self.register_parameter(f"_kernel_{number}", nn.Parameter(torch.randn(16, 1, 1)))

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d = (self.get_parameter(f"_kernel_{number}") for number in (3, 2, 0, 1))
        return ((self.conv(x) * a + b) * c + d).flatten(1)


@pytest.mark.parametrize(
    "module",
    [Odd(), Ordered(), nn.Flatten(), nn.Sequential(nn.ReLU(), nn.AvgPool2d(2), nn.Flatten())],
)
def test_odd_networks_compute_the_same_too(module: nn.Module) -> None:
    job = Job(network=Network(name="odd", module=module.eval(), shape=(3, 12, 12)), batch=9)
    fed = random_pixels(job.shape)
    assert relative_error(build(job, HERE)(fed), job.network.eager(fed)) < 1e-4


class ByStrides(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.as_strided((len(x), 4), (1, 1))


def test_what_depends_on_the_layout_is_refused() -> None:
    job = Job(network=Network(name="odd", module=ByStrides().eval(), shape=(3, 12, 12)))
    with pytest.raises(UserError, match="lays maps out in its own way"):
        build(job, HERE)


def test_what_is_no_number_stays_none() -> None:
    module = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 4, 1), nn.Flatten())
    job = Job(network=Network(name="nan", module=module.eval(), shape=(3, 2, 2)))
    fed = random_pixels(job.shape)
    fed[0, 0, 0, 0] = float("nan")
    assert (np.isnan(build(job, HERE)(fed)) == np.isnan(job.network.eager(fed))).all()


def test_mistakes_are_named() -> None:
    overwriting = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3), nn.Flatten())
    other = Job(network=Network(name="odd", module=overwriting.eval(), shape=(3, 8, 8)))
    with pytest.raises(UserError, match=f"{HERE.name} cannot take odd"):
        build(other, HERE)
