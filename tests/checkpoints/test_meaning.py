from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from convatlas import models
from convatlas.checkpoints.meaning import (
    difference,
    fingerprint,
    in_words,
    of_blueprint,
    of_module,
    same,
)
from convatlas.models.family import Task


class Renamed(nn.Module):
    """ResNet's first layers under other names and with the shortcut written first."""

    def __init__(self, *, eps: float = 1e-5, rounding: bool = False, slope: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.normed = nn.BatchNorm2d(8, eps=eps)
        self.pooled = nn.MaxPool2d(2, ceil_mode=rounding)
        self.act = nn.LeakyReLU(slope) if slope else nn.ReLU()
        self.last = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pooled(self.act(self.normed(self.first(x))))
        return self.last(x.mean((2, 3)))


class Other(nn.Module):
    """The same as `Renamed`, said otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3)),
            nn.Linear(8, 4),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def prints(module: nn.Module) -> str:
    return fingerprint(of_module(module, models.blueprint("resnet18")))


def test_names_and_ways_of_writing_leave_the_fingerprint_as_it_is() -> None:
    assert prints(Renamed()) == prints(Other())


@pytest.mark.parametrize("knob", [{"eps": 1e-3}, {"rounding": True}, {"slope": 0.1}])
def test_what_shapes_cannot_tell_changes_the_fingerprint(knob: dict[str, float | bool]) -> None:
    assert prints(Renamed(**knob)) != prints(Renamed())


def test_dropout_frozen_layers_and_mode_are_left_out() -> None:
    module = Other()
    before = prints(module)
    module.body[0].weight.requires_grad_(False)
    module.body[6].p = 0.9
    assert prints(module.eval()) == before
    assert not module.body[0].weight.requires_grad


def test_every_network_has_a_fingerprint_of_its_own() -> None:
    names = [
        *("resnet50", "resnet50@torchvision", "plain18", "resnet18", "vgg11", "vgg11-lrn"),
        *("mobilenet_v1", "mobilenet_v1@timm", "se-resnet50", "se-resnet50@timm", "lenet5"),
        *("googlenet", "googlenet@torchvision", "inception_v3", "inception_v3@torchvision"),
    ]
    found = {fingerprint(of_blueprint(models.blueprint(name))) for name in names}
    assert len(found) == len(names)


def test_heads_that_only_train_are_part_of_the_meaning() -> None:
    blueprint = models.blueprint("googlenet@torchvision")
    other = replace(blueprint, spec=replace(blueprint.spec, head_pool="5x5/3"))
    graphs = of_blueprint(blueprint)
    assert len(graphs) == 2
    assert fingerprint(graphs) != fingerprint(of_blueprint(other))
    assert fingerprint(graphs[:1]) == fingerprint(of_blueprint(other)[:1])
    found = difference(graphs, of_blueprint(other))
    assert found is not None
    assert "pooling" in in_words(found)


def test_the_size_of_the_picture_is_no_difference() -> None:
    usual, small = (
        of_blueprint(models.blueprint("resnet18", Task(image_size=n))) for n in (224, 96)
    )
    assert same(small, fingerprint(usual), usual)
    assert not same(of_blueprint(models.blueprint("resnet34")), fingerprint(usual), usual)


def test_differences_are_told_from_the_file() -> None:
    ours, other = (of_blueprint(models.blueprint(n)) for n in ("vgg16", "vgg16@torchvision"))
    found = difference(ours, other)
    assert found is not None
    assert in_words(found) == "average pooling to 7×7 besides at dense.resize"
    back = difference(other, ours)
    assert back is not None
    assert in_words(back) == "no average pooling to 7×7 at dense.resize"


def test_a_long_list_is_cut() -> None:
    names = ("alexnet", "alexnet@torchvision")
    found = difference(*(of_blueprint(models.blueprint(name)) for name in names))
    assert found is not None
    assert in_words(found).endswith(f"; and {len(found.changes) - 3} more")


def test_the_module_is_left_as_it_was() -> None:
    module = Other().train()
    state = {key: value.clone() for key, value in module.state_dict().items()}
    prints(module)
    assert module.training
    for key, value in module.state_dict().items():
        assert torch.equal(value, state[key])
