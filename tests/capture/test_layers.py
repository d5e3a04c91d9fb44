import pytest
import torch
from torch import nn

from convatlas import models
from convatlas.capture.layers import layers


def test_macs_of_a_convolution_and_a_dense_layer_by_hand() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 8 * 8, 5))
    rows = layers(model, torch.zeros(1, 3, 8, 8))
    # 8*8 positions of 3*3*3 inputs for each of 4 maps; 256 inputs for each of 5 units
    assert [row.macs for row in rows] == [64 * 27 * 4, 0, 256 * 5]
    assert [row.parameters for row in rows] == [27 * 4 + 4, 0, 256 * 5 + 5]


def test_a_layer_used_twice_has_its_parameters_once_and_its_work_twice() -> None:
    shared = nn.Linear(4, 4)
    rows = layers(nn.Sequential(shared, nn.ReLU(), shared), torch.zeros(1, 4))
    assert [row.parameters for row in rows] == [20, 0, 0]
    assert [row.macs for row in rows] == [16, 0, 16]


def test_unknown_layers_with_weights_are_said_to_be_unknown() -> None:
    assert layers(nn.Sequential(nn.PReLU()), torch.zeros(1, 2, 3, 3))[0].macs is None


def test_lenet5_counts_only_the_links_of_table_i() -> None:
    rows = {
        row.path: row.macs for row in layers(models.create("lenet5"), torch.zeros(1, 1, 32, 32))
    }
    assert rows["c3"] == 60 * 25 * 10 * 10
    assert rows["s2"] == 6 * 14 * 14
    assert rows["output"] == 840


def test_the_network_is_left_alone() -> None:
    model = models.create("lenet-bn").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layers(model, torch.zeros(1, 1, 28, 28))
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


@pytest.mark.parametrize("name", models.names())
def test_the_meta_device_gives_the_same_rows(name: str) -> None:
    spec = models.blueprint(name).spec
    shape = (1, spec.in_channels, spec.image_size, spec.image_size)
    with torch.device("meta"):
        nothing, model = torch.empty(shape), models.create(name)
    assert layers(model, nothing) == layers(models.create(name), torch.zeros(shape))
