"""torchvision's and timm's networks in torch eager, as people run them: NCHW, inference mode."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from convatlas.runtime.engines.engine import Engine
from convatlas.runtime.network import Network
from convatlas.runtime.settle import settle
from peers.vision import models  # before timm, which imports torchvision too

from timm import create_model  # isort: skip


def torchvision(name: str) -> Callable[[], nn.Module]:
    """A network of torchvision with drawn weights."""

    def build() -> nn.Module:
        extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        return models.get_model(name, weights=None, **extra)

    return build


def timm(name: str) -> Callable[[], nn.Module]:
    """A network of timm with drawn weights."""

    def build() -> nn.Module:
        return create_model(name, pretrained=False)

    return build


# ours: whose the other is. No library has the LeNet of today; its peer is our module in eager.
PEERS: dict[str, Callable[[], nn.Module] | None] = {
    "lenet-relu": None,
    "alexnet@torchvision": torchvision("alexnet"),
    "vgg16": torchvision("vgg16"),
    "googlenet@torchvision": torchvision("googlenet"),
    "inception_v3@torchvision": torchvision("inception_v3"),
    "resnet18": torchvision("resnet18"),
    "resnet50@torchvision": torchvision("resnet50"),
    "densenet121": torchvision("densenet121"),
    "se-resnet50@timm": timm("seresnet50"),
    "swin_t": timm("swin_tiny_patch4_window7_224"),
}


def peer(name: str, network: Network) -> Engine:
    """The other library's module as an engine."""
    build = PEERS[name]
    if build is None:
        return network.eager
    torch.manual_seed(0)
    module = build().eval()
    settle(module, network.shape)  # as ours is, or signals fade to numbers that are slow

    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(pixels)).numpy()

    return run
