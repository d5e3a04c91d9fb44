import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convatlas import models
from convatlas.insight.maps import feature_maps
from convatlas.models import lenet

BN = [
    ("stage1.0", ("Conv2d",), (8, 24, 24)),
    ("stage1", ("MaxPool2d", "BatchNorm2d", "ReLU"), (8, 12, 12)),
    ("stage2.0", ("Conv2d",), (32, 8, 8)),
    ("stage2", ("MaxPool2d", "BatchNorm2d", "ReLU"), (32, 4, 4)),
]
LENET5 = [
    ("c1", ("Conv2d", "ScaledTanh"), (6, 28, 28)),
    ("s2", ("SubSampling", "ScaledTanh"), (6, 14, 14)),
    ("c3", ("TableConvolution", "ScaledTanh"), (16, 10, 10)),
    ("s4", ("SubSampling", "ScaledTanh"), (16, 5, 5)),
]


def described(model, shape):
    found = feature_maps(model, torch.rand(shape))
    return [(group.path, group.kinds, tuple(group.values.shape)) for group in found]


@pytest.mark.parametrize(
    ("name", "side", "expected"), [("lenet-bn", 28, BN), ("lenet5", 32, LENET5)]
)
def test_groups(name, side, expected):
    assert described(models.create(name), (1, side, side)) == expected


@pytest.mark.parametrize("name", [*lenet.FAMILY.variants, "alexnet-28", "resnet20-cifar"])
def test_every_network_has_maps(name):
    spec = models.blueprint(name).spec
    picture = torch.rand(spec.in_channels, spec.image_size, spec.image_size)
    found = feature_maps(models.create(name), picture)
    assert found
    assert all(min(group.values.shape[-2:]) > 1 for group in found)


def test_values_are_those_after_the_last_layer_of_the_group():
    model, picture = models.create("lenet5").eval(), torch.rand(1, 32, 32)
    with torch.no_grad():
        expected = model.c1_squash(model.c1(picture[None]))[0]
    assert torch.equal(feature_maps(model, picture)[0].values, expected)


def test_layers_working_in_place_do_not_spoil_earlier_maps():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(1), nn.ReLU(inplace=True))
    picture = torch.randn(1, 8, 8)
    convolved, _ = feature_maps(model, picture)
    assert torch.equal(convolved.values, model[0](picture[None])[0].detach())


def test_an_activation_that_is_no_module_ends_the_group():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)

        def forward(self, x):
            return self.norm(F.relu(self.conv(x)))

    found = described(Functional(), (1, 6, 6))
    assert found == [("conv", ("Conv2d",), (2, 4, 4)), ("norm", ("BatchNorm2d",), (2, 4, 4))]


def test_the_innermost_container_gives_its_name():
    rows = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
    outer = nn.Sequential(rows, nn.Flatten())
    assert [group[0] for group in described(outer, (1, 6, 6))] == ["0.0"]


def test_model_is_left_as_it_was():
    model = models.create("lenet-bn").train()
    model.stage1.eval()
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    feature_maps(model, torch.rand(1, 28, 28))
    assert [module.training for module in model.modules()] == modes
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_hooks_are_removed_when_the_network_refuses_the_picture():
    model = models.create("lenet-bn")
    with pytest.raises(RuntimeError):
        feature_maps(model, torch.rand(3, 28, 28))
    assert not any(module._forward_hooks for module in model.modules())
    assert model.training
