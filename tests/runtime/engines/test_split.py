"""The kernel against convolutions in double precision, and whole networks against torch."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from runnable import network
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.engines import split
from convatlas.runtime.engines.engine import Job
from convatlas.runtime.engines.split import library, plan, rewrite
from convatlas.runtime.engines.split.part import part
from convatlas.runtime.network import Network, random_pixels

needs_the_processor = pytest.mark.skipif(
    library.lacking() is not None, reason=f"the engine cannot run here: {library.lacking()}"
)
# Halves keep 16 of 24 bits and one of four products is left out: 2^-16 of each product at most,
# and errors of many products partly cancel.
TOLERANCE = 2**-16
WINDOWS = [
    # channels, side, filters, rows, columns, stride, top, left, dilation
    (64, 14, 64, 3, 3, 1, 1, 1, 1),
    (32, 7, 48, 1, 1, 1, 0, 0, 1),
    (40, 9, 33, 1, 1, 2, 0, 0, 1),
    (20, 13, 37, 3, 3, 2, 1, 1, 1),
    (16, 17, 16, 1, 7, 1, 0, 3, 1),
    (16, 17, 16, 7, 1, 1, 3, 0, 1),
    (24, 15, 50, 3, 3, 2, 2, 2, 2),
    (17, 12, 9, 3, 3, 3, 0, 2, 1),
    (3, 32, 24, 7, 7, 2, 3, 3, 1),
    (1, 28, 6, 5, 5, 1, 2, 0, 1),
    (3, 40, 96, 11, 11, 4, 2, 2, 1),
    (5, 19, 20, 3, 3, 1, 2, 2, 2),
    (3, 8, 5, 1, 1, 1, 0, 0, 1),
    (15, 6, 64, 6, 6, 1, 0, 0, 1),
]


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def off(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@needs_the_processor
@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("batch", [1, 3])
def test_every_window(case: tuple[int, ...], batch: int) -> None:
    library.load()
    kernel = torch.ops.convatlas_split
    channels, side, filters, *window = case
    rows, columns, stride, top, left, dilation = window
    x = drawn(batch, channels, side, side + 2, seed=1)
    weight, bias = drawn(filters, channels, rows, columns, seed=2), drawn(filters, seed=3)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), stride, (top, left), dilation)
    other = drawn(*expected.shape, seed=4)
    halves = kernel.split([x], window, None, None, False, None)
    tiles = kernel.pack(weight, window)
    plain = kernel.conv(halves, list(x.shape), tiles, filters, window, bias, None, False, None)
    assert off(plain, expected) < TOLERANCE
    more = kernel.conv(halves, list(x.shape), tiles, filters, window, None, other, True, None)
    assert off(more, (expected - bias.double()[:, None, None] + other).relu()) < TOLERANCE


@needs_the_processor
@pytest.mark.parametrize("parts", [(16, 32, 5), (3, 4), (12, 24), (64, 16)])
@pytest.mark.parametrize("window", [(3, 3, 1, 1, 1, 1), (1, 1, 1, 0, 0, 1)])
def test_maps_are_joined_and_normed_while_they_are_read(
    parts: tuple[int, ...], window: tuple[int, ...]
) -> None:
    library.load()
    kernel = torch.ops.convatlas_split
    maps = [drawn(2, part, 9, 8, seed=part) for part in parts]
    scale, shift = drawn(sum(parts), seed=1), drawn(sum(parts), seed=2)
    weight = drawn(21, sum(parts), *window[:2], seed=3)
    halves = kernel.split(maps, list(window), scale, shift, True, None)
    shape = [2, sum(parts), 9, 8]
    tiles = kernel.pack(weight, list(window))
    found = kernel.conv(halves, shape, tiles, 21, list(window), None, None, False, None)
    joined = torch.cat(maps, 1).double()
    normed = (joined * scale[:, None, None] + shift[:, None, None]).relu()
    assert off(found, F.conv2d(normed, weight.double(), padding=window[3])) < TOLERANCE


@needs_the_processor
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
    run = split.build(job)
    first, second = (random_pixels(job.shape, seed) for seed in range(2))
    kept = run(first)
    run(second)  # must not disturb what was returned before
    assert relative_error(kept, job.network.eager(first)) < 1e-4
    assert relative_error(run(second), job.network.eager(second)) < 1e-4


def graph_of(name: str, size: int) -> torch.fx.GraphModule:
    return split.lowered(Job(network=network(name, size), batch=1))


@needs_the_processor
def test_a_residual_network_is_convolutions_and_two_pools() -> None:
    graph = graph_of("resnet20-cifar", 32).graph
    calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_function")
    assert calls["convatlas_split.conv.default"] == 19
    assert not {name for name in calls if "relu" in name or "norm" in name}
    # the paper's shortcut between sizes leaves pixels out and pads: torch does these two additions
    assert sum(calls.values()) < 19 * 2 + 16


@needs_the_processor
def test_a_dense_network_concatenates_once() -> None:
    graph = graph_of("densenet-bc-100-12-cifar", 32).graph
    calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_function")
    assert calls["aten.cat.default"] == 1  # for the last norm, which no convolution reads


@needs_the_processor
def test_rooms_are_not_shared_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.from_numpy(random_pixels((1, 3, 96, 96)))
    with torch.inference_mode():
        torch.manual_seed(0)
        planned = graph_of("googlenet", 96)(x)[0].clone()
        monkeypatch.setattr(rewrite, "plan", lambda module: None)
        assert torch.equal(graph_of("googlenet", 96)(x)[0], planned)


def test_a_room_is_used_again_as_soon_as_it_is_free() -> None:
    rooms = plan._Rooms()
    first, second = rooms.take(100), rooms.take(50)
    rooms.free.add(first)
    assert rooms.take(80) == first
    rooms.free.add(second)
    assert rooms.take(120) == second  # made larger
    assert rooms.sizes == [100, 120]


def test_what_a_machine_lacks_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library, "NEEDED", ("amx_tile", "warp_drive"))
    assert "has no" in str(library.lacking())
    assert "warp_drive" in str(library.lacking())
    library.load.cache_clear()
    with pytest.raises(UserError, match="cannot run here"):
        library.load()


@needs_the_processor
def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))
    broken = tmp_path / "kernel.cpp"
    broken.write_text("this is no C++;")
    monkeypatch.setattr(library, "SOURCE", broken)
    library.load.cache_clear()
    with pytest.raises(UserError, match=r"cannot compile kernel.cpp: .*error"):
        library.load()
    assert not list((tmp_path / "split").iterdir())
    library.load.cache_clear()


@pytest.mark.parametrize(
    ("name", "batch", "expected"),
    [
        ("resnet20-cifar", 32, 4),
        ("resnet20-cifar", 6, 6),
        ("resnet20-cifar", 7, 7),  # no part divides it
        ("resnet20-cifar", 1, 1),
        ("lenet-relu", 32, 32),  # its weights are read for little work
    ],
)
def test_pictures_go_through_in_parts_that_fit_the_cache(
    name: str, batch: int, expected: int
) -> None:
    assert part(Job(network=network(name), batch=batch)) == expected


class Undecided(nn.Module):
    """Code that decides by the values of the picture, which no graph follows."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if float(x.mean()) > 0 else -x.flatten(1)


def test_pictures_of_a_network_whose_work_is_unknown_stay_together() -> None:
    unknown = Network(name="undecided", module=Undecided().eval(), shape=(3, 4, 4))
    assert part(Job(network=unknown, batch=8)) == 8
    assert part(Job(network=unknown)) == 1


class Odd(nn.Module):
    """Names that the rewriting might want, and weights that are made while the network runs."""

    def __init__(self) -> None:
        super().__init__()
        self.split_0 = nn.Conv2d(3, 16, 3)
        self.constant_1 = nn.Parameter(torch.randn(16, 1, 1))
        self.constant_0 = nn.Parameter(torch.randn(16, 1, 1))
        self.register_buffer("room_0", torch.randn(16, 1, 1))
        self.dense = nn.utils.parametrizations.weight_norm(nn.Linear(16, 10))
        self.tied = nn.Parameter(torch.randn(4, 10))

    def forward(self, x: Tensor) -> Tensor:
        maps = (self.split_0(x) + self.constant_1) * self.constant_0 + self.get_buffer("room_0")
        maps = F.conv2d(maps, self.split_0.weight.transpose(0, 1), self.constant_0[:3, 0, 0] * 2)
        dense: Tensor = self.dense(self.split_0(maps).mean((2, 3)))
        return F.linear(dense, self.tied * 2)


class Ordered(nn.Module):
    """Names in an order that is not theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        for number in (3, 2, 1, 0):
            self.register_parameter(f"constant_{number}", nn.Parameter(torch.randn(16, 1, 1)))

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d = (self.get_parameter(f"constant_{number}") for number in (3, 2, 0, 1))
        return ((self.conv(x) * a + b) * c + d).flatten(1)


@needs_the_processor
@pytest.mark.parametrize(
    "module",
    [Odd(), Ordered(), nn.Flatten(), nn.Sequential(nn.ReLU(), nn.AvgPool2d(2), nn.Flatten())],
)
def test_odd_networks_compute_the_same_too(module: nn.Module) -> None:
    job = Job(network=Network(name="odd", module=module.eval(), shape=(3, 12, 12)), batch=9)
    fed = random_pixels(job.shape)
    assert relative_error(split.build(job)(fed), job.network.eager(fed)) < 1e-4


class ByStrides(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.as_strided((len(x), 4), (1, 1))


@needs_the_processor
def test_what_depends_on_the_layout_is_refused() -> None:
    job = Job(network=Network(name="odd", module=ByStrides().eval(), shape=(3, 12, 12)))
    with pytest.raises(UserError, match="lays maps out in its own way"):
        split.build(job)


@needs_the_processor
def test_what_is_no_number_stays_none() -> None:
    module = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 4, 1), nn.Flatten())
    job = Job(network=Network(name="nan", module=module.eval(), shape=(3, 2, 2)))
    fed = random_pixels(job.shape)
    fed[0, 0, 0, 0] = float("nan")
    assert (np.isnan(split.build(job)(fed)) == np.isnan(job.network.eager(fed))).all()


@needs_the_processor
def test_mistakes_are_named() -> None:
    overwriting = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3), nn.Flatten())
    other = Job(network=Network(name="odd", module=overwriting.eval(), shape=(3, 8, 8)))
    with pytest.raises(UserError, match="split cannot take odd"):
        split.build(other)
