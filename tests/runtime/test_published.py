"""Against the two libraries' own words for how their weights are evaluated."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from references import timm, torchvision

from convatlas import models
from convatlas.runtime.bundle import array, crop, normalise
from convatlas.runtime.published import published

OURS_TO_TORCHVISION = {
    "alexnet@torchvision": "alexnet",
    "vgg16": "vgg16",
    "vgg19-bn": "vgg19_bn",
    "resnet18": "resnet18",
    "resnet50@torchvision": "resnet50",
    "resnext50": "resnext50_32x4d",
    "resnext101-64x4d": "resnext101_64x4d",
    "wide-resnet-101-2@torchvision": "wide_resnet101_2",
    "densenet121": "densenet121",
    "googlenet@torchvision": "googlenet",
    "inception_v3@torchvision": "inception_v3",
    "swin_t": "swin_t",
    "swin_s": "swin_s",
    "swin_b": "swin_b",
}
CHANGING = {
    "googlenet": torchvision.models.GoogLeNet,
    "inception_v3": torchvision.models.Inception3,
}
OURS_TO_TIMM = {
    "se-resnet50@timm": "seresnet50",
    "se-resnet101@timm": "seresnet101",
    "se-resnet152@timm": "seresnet152",
    "se-resnext50@timm": "seresnext50_32x4d",
    "se-resnext101@timm": "seresnext101_32x4d",
    "inception_v4@timm": "inception_v4",
    "inception_resnet_v2@timm": "inception_resnet_v2",
    "mobilenet_v1@timm": "mobilenetv1_100",
    "swin_t": "swin_tiny_patch4_window7_224",
    "swin_s": "swin_small_patch4_window7_224",
    "swin_b": "swin_base_patch4_window7_224",
}


def first_layer(theirs: str, how: Any, value: float) -> np.ndarray:
    """What the first layer of torchvision's network reads of a pixel of one value, by channel.

    Two networks change what their transforms give; with their weights they do so by default.
    """
    mean, deviation = (torch.tensor(each)[None, :, None, None] for each in (how.mean, how.std))
    pixels = (torch.full((1, 3, 1, 1), value) - mean) / deviation
    if theirs in CHANGING:
        pixels = CHANGING[theirs]._transform_input(SimpleNamespace(transform_input=True), pixels)
    return pixels.numpy().ravel()


@pytest.mark.parametrize(("name", "theirs"), OURS_TO_TORCHVISION.items())
def test_as_torchvision_evaluates(name: str, theirs: str) -> None:
    weights = next(iter(torchvision.models.get_model_weights(theirs)))
    how = weights.transforms()
    side = models.blueprint(name).spec.image_size
    found = published(name, "torchvision", side)
    assert found
    assert [found[0].side] == how.resize_size
    assert [found[0].crop] == how.crop_size
    black, white = (first_layer(theirs, how, value) for value in (0.0, 1.0))
    deviation = 1 / (white - black)
    mean = -black * deviation
    np.testing.assert_allclose(array(found[0].mean).ravel(), mean, rtol=1e-5)
    np.testing.assert_allclose(array(found[0].deviation).ravel(), deviation, rtol=1e-5)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_what_two_networks_change_themselves_is_in_the_preparation(name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 400, 400), np.uint8)
    found = published(f"{name}@torchvision", "", 299)
    assert found
    ours = normalise(found[0], crop(found[0], pixels))
    theirs = getattr(torchvision.models, name)(
        weights=None, init_weights=False, transform_input=True, aux_logits=False
    )
    seen = torch.from_numpy(crop(found[0], pixels)).float() / 255
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    changed = theirs._transform_input((seen - mean) / deviation)
    np.testing.assert_allclose(ours, changed.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "theirs"), OURS_TO_TIMM.items())
def test_as_timm_evaluates(name: str, theirs: str) -> None:
    how = timm.models.get_pretrained_cfg(theirs)
    size = how.input_size[-1]
    found = published(name, "timm", size)
    assert found
    assert found[0].side == int(size / how.crop_pct)
    np.testing.assert_allclose(array(found[0].mean).ravel(), how.mean, rtol=1e-6)
    np.testing.assert_allclose(array(found[0].deviation).ravel(), how.std, rtol=1e-6)


def test_other_sizes_and_other_networks() -> None:
    found = published("resnet50@torchvision", "", 112)
    assert found
    assert (found[0].side, found[0].crop) == (128, 112)
    assert "torchvision" in found[1]
    assert published("resnet50", "", 224) is None
    assert published("resnet50", "convatlas", 224) is None
    assert published("resnet50", "torchvision and timm", 224)
