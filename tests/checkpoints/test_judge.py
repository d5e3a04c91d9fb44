"""Whose meaning a file has, where the tensors themselves cannot tell."""

import json
from pathlib import Path

import pytest

from convatlas import models
from convatlas.checkpoints.judge import judged, meant
from convatlas.checkpoints.layouts import LAYOUTS
from convatlas.checkpoints.read import WeightFile
from convatlas.checkpoints.recognise import fitted
from convatlas.errors import UserError
from convatlas.models.family import Task


def ours(name: str, strings: dict[str, str], into: str) -> str:
    """What speaks against loading a file of our keys."""
    state = models.blueprint(name).layout().state_dict()
    file = WeightFile(Path("file.safetensors"), state, strings)
    return judged(file, fitted(file, models.blueprint(into))).against


def card(name: str) -> dict[str, str]:
    spec = models.blueprint(name).spec
    network = {
        "name": name,
        **{f: getattr(spec, f) for f in ("num_classes", "in_channels", "image_size")},
        "dropout": getattr(spec, "dropout", None),
    }
    return {"card": json.dumps({"network": network})}


def test_the_model_file_of_a_run_is_of_the_network_on_its_card() -> None:
    assert ours("resnet50", card("resnet50"), "resnet50") == ""
    against = ours("resnet50", card("resnet50"), "resnet50@torchvision")
    assert "is of resnet50, which has, unlike resnet50@torchvision, place of stride 2" in against


def test_a_card_that_cannot_be_read_is_refused() -> None:
    for text in ("no JSON", "{}", '{"network": {}}', "[]"):
        with pytest.raises(UserError, match="its card cannot be read"):
            ours("resnet18", {"card": text}, "resnet18")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("resnet50", "resnet50@torchvision"),
        ("vgg11", "vgg11@torchvision"),
        ("mobilenet_v1@timm", "mobilenet_v1"),
        ("se-resnext50", "se-resnext50@timm"),
    ],
)
def test_our_keys_alone_are_refused_where_two_networks_have_them(name: str, other: str) -> None:
    assert f"could be of {other} as well as of {name}" in ours(name, {}, name)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "swin_t", "lenet5", "unet"])
def test_our_keys_alone_are_enough_where_one_network_has_them(name: str) -> None:
    assert ours(name, {}, name) == ""


@pytest.mark.parametrize(
    ("family", "name", "expected"),
    [
        ("resnet", "resnet50", "resnet50@torchvision"),
        ("resnet", "resnet18", "resnet18"),
        ("wide-resnet", "wide-resnet-50-2", "wide-resnet-50-2"),
        ("vgg", "vgg11", "vgg11@torchvision"),
        ("vgg", "vgg11-lrn", "vgg11@torchvision"),
        ("senet", "se-resnet50", "se-resnet50@timm"),
        ("mobilenet_v1", "mobilenet_v1-128", "mobilenet_v1@timm"),
        ("mobilenet_v1", "mobilenet_v1-0.5", None),
        ("preact-resnet", "preact-resnet200", None),
        ("eca", "eca-resnet50@authors", "eca-resnet50@authors"),
    ],
)
def test_the_network_that_a_layout_means(family: str, name: str, expected: str | None) -> None:
    found = meant(LAYOUTS[family][0], models.blueprint(name, Task(num_classes=10)))
    assert (found.name if found else None) == expected
    assert found is None or found.spec.num_classes == 10
