import math

import pytest
import torch
import torch.nn.functional as F
from layerwise import layers
from torch import nn

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.lenet import (
    FAMILY,
    TABLE_I,
    LeNet5,
    LeNet5Spec,
    RadialBasis,
    ScaledTanh,
    SubSampling,
    TableConvolution,
    digit_bitmaps,
)


@pytest.fixture
def lenet5() -> LeNet5:
    torch.manual_seed(0)
    return LeNet5(LeNet5Spec())


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_lenet5_has_the_papers_parameters_layer_by_layer(lenet5: LeNet5) -> None:
    # LeCun et al. 1998, section II-B, layer by layer
    named = [lenet5.c1, lenet5.s2, lenet5.c3, lenet5.s4, lenet5.c5, lenet5.f6, lenet5.output]
    assert [parameters(layer) for layer in named] == [156, 12, 1516, 32, 48120, 10164, 0]
    assert parameters(lenet5) == 60_000


def test_lenet5_has_the_papers_connections(lenet5: LeNet5) -> None:
    # A connection is one input of one unit, its bias included; a sub-sampling unit has 2*2 + 1.
    positions = {
        row.path: math.prod(row.output[1:]) for row in layers(lenet5, torch.zeros(1, 1, 32, 32))
    }
    connections = {
        "c1": parameters(lenet5.c1) * positions["c1"],
        "s2": 6 * positions["s2"] * 5,
        "c3": parameters(lenet5.c3) * positions["c3"],
        "s4": 16 * positions["s4"] * 5,
        "c5": parameters(lenet5.c5) * positions["c5"],
        "f6": parameters(lenet5.f6),
        "output": lenet5.output.get_buffer("bitmaps").numel(),
    }
    assert list(connections.values()) == [122304, 5880, 151600, 2000, 48120, 10164, 840]
    assert sum(connections.values()) == 340_908


def test_lenet5_has_the_sizes_of_figure_2(lenet5: LeNet5) -> None:
    sizes = {row.path: row.output for row in layers(lenet5, torch.zeros(1, 1, 32, 32))}
    assert [sizes[name] for name in ("c1", "s2", "c3", "s4", "c5", "f6", "output")] == [
        (6, 28, 28),
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (120, 1, 1),
        (84,),
        (10,),
    ]


def test_table_i_is_symmetrical() -> None:
    # 60 links (1,516 = 60*25 + 16), every map of S2 read ten times, every column different.
    links = [into for column in TABLE_I for into in column]
    assert len(links) == 60
    assert [links.count(into) for into in range(6)] == [10] * 6
    assert len(set(TABLE_I)) == 16


def test_table_convolution_equals_one_convolution_per_map() -> None:
    torch.manual_seed(1)
    layer = TableConvolution(6, TABLE_I)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 6, 14, 14)
    first = 0
    for out, column in enumerate(TABLE_I):
        kernel = layer.weight[first : first + len(column)][None]
        expected = F.conv2d(x[:, list(column)], kernel, layer.bias[out : out + 1])
        torch.testing.assert_close(layer(x)[:, out : out + 1], expected, rtol=1e-5, atol=1e-5)
        first += len(column)


def test_sub_sampling_by_hand() -> None:
    layer = SubSampling(1)
    nn.init.constant_(layer.weight, 0.5)
    nn.init.constant_(layer.bias, 3.0)
    assert layer(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).item() == 0.5 * 10 + 3


def test_squashing_function_passes_through_plus_and_minus_one() -> None:
    # Appendix A: A = 1.7159 and S = 2/3 are chosen so that f(1) = 1 and f(-1) = -1.
    torch.testing.assert_close(
        ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0])),
        torch.tensor([-1.0, 0.0, 1.0]),
        rtol=0,
        atol=1e-4,
    )


def test_bitmaps_are_ten_different_drawings_in_plus_and_minus_one() -> None:
    bitmaps = digit_bitmaps()
    assert bitmaps.shape == (10, 84)
    assert set(bitmaps.unique().tolist()) == {-1.0, 1.0}
    apart = (bitmaps[:, None] != bitmaps[None]).sum(2) + 84 * torch.eye(10, dtype=torch.long)
    assert apart.min() >= 8  # no two digits are nearly the same drawing


def test_radial_basis_is_nearest_bitmap() -> None:
    bitmaps = digit_bitmaps()
    scores = RadialBasis()(bitmaps * 0.9)
    assert scores.argmax(1).tolist() == list(range(10))
    torch.testing.assert_close(scores.diagonal(), torch.full((10,), -84 * 0.01), rtol=1e-4, atol=0)


def test_lenet5_weights_are_drawn_within_the_papers_bounds(lenet5: LeNet5) -> None:
    bounds = {"c1": 2.4 / 25, "s2": 2.4 / 4, "s4": 2.4 / 4, "c5": 2.4 / 400, "f6": 2.4 / 120}
    for name, bound in bounds.items():
        largest = max(p.abs().max().item() for p in lenet5.get_submodule(name).parameters())
        assert 0.5 * bound < largest <= bound
    links = lenet5.c3.get_buffer("links")[0]
    for out, column in enumerate(TABLE_I):
        largest = lenet5.c3.weight[links == out].abs().max().item()
        assert 0.5 * 2.4 / (25 * len(column)) < largest <= 2.4 / (25 * len(column))


def test_later_forms_have_their_known_sizes() -> None:
    counts = {name: parameters(models.create(name)) for name in FAMILY.variants}
    assert counts["lenet-caffe"] == 431_080  # 20/50/500/10
    assert counts["lenet-sigmoid"] == counts["lenet-relu"] == 61_706
    shapes = {
        row.path: row.output
        for row in layers(models.create("lenet-caffe"), torch.zeros(1, 1, 28, 28))
    }
    assert [shapes[p] for p in ("stage1.0", "stage1.1", "stage2.0", "stage2.1", "head.1")] == [
        (20, 24, 24),
        (20, 12, 12),
        (50, 8, 8),
        (50, 4, 4),
        (500,),
    ]


@pytest.mark.parametrize("name", FAMILY.variants)
def test_every_network_trains_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    blueprint = models.blueprint(name)
    side = blueprint.spec.image_size
    model = blueprint.build()
    model(torch.randn(4, 1, side, side)).square().sum().backward()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.abs().sum() > 0, path


@pytest.mark.parametrize("name", FAMILY.variants)
def test_every_network_builds_on_meta(name: str) -> None:
    with torch.device("meta"):
        model = models.create(name)
    assert all(p.is_meta for p in model.parameters())


@pytest.mark.parametrize(("name", "smallest"), [("lenet-relu", 12), ("lenet-caffe", 13)])
def test_smallest_input_is_accepted_and_one_less_is_not(name: str, smallest: int) -> None:
    model = models.create(name, Task(image_size=smallest))
    assert model(torch.zeros(1, 1, smallest, smallest)).shape == (1, 10)
    with pytest.raises(UserError, match=f"accepts {smallest}x{smallest}"):
        models.create(name, Task(image_size=smallest - 1))


def test_lenet5_refuses_what_its_bitmaps_cannot_tell_apart() -> None:
    with pytest.raises(UserError, match="7 classes; use lenet-relu"):
        models.create("lenet5", Task(num_classes=7))
    with pytest.raises(UserError, match="32x32, given 28x28"):
        models.create("lenet5", Task(image_size=28))
