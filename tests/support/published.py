"""The same networks in torchvision and timm: how each is built, and which of ours it is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from references import timm, torchvision
from torch import nn

Build = Callable[..., nn.Module]  # takes num_classes
When = Literal["always", "slowly", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A network of a library, and the name it has here."""

    source: str
    name: str
    build: Build
    smallest: int = 1  # side of the smallest picture that both take
    odd: int = 67
    only: int = 0  # theirs takes this side alone
    trained: int = 64  # side that one step of training is compared at
    numbers: When = "never"  # whether weights are compared as numbers too, not as graphs alone

    @property
    def label(self) -> str:
        return f"{self.source}-{self.name}"

    @property
    def sides(self) -> tuple[int, ...]:
        return (self.only,) if self.only else (self.smallest, self.odd, 96)


def of_torchvision(name: str, theirs: str, **more: int | str) -> Published:
    build = partial(torchvision.models.get_model, theirs, weights=None)
    return Published(source="torchvision", name=name, build=build, **more)


def with_heads(theirs: str, num_classes: int = 1000) -> nn.Module:
    """Of torchvision, with its auxiliary heads, weights left as torch draws them."""
    build = getattr(torchvision.models, theirs)
    return build(weights=None, num_classes=num_classes, init_weights=False, aux_logits=True)


def of_timm(name: str, theirs: str, **more: int | str) -> Published:
    return Published(source="timm", name=name, build=partial(timm.create_model, theirs), **more)


def eca(name: str, block: str, depths: tuple[int, ...], numbers: When = "never") -> Published:
    """What timm's own ECA-ResNets are made of, on a plain ResNet."""
    kind = getattr(timm.models.resnet, block)
    build = partial(timm.models.resnet.ResNet, kind, list(depths), block_args={"attn_layer": "eca"})
    return Published(source="timm", name=name, build=build, numbers=numbers)


DEEPER = ("resnet101", "resnet152")
DENSER = ("densenet161", "densenet169", "densenet201")
WIDE = {"wide-resnet-101-2@torchvision": "wide_resnet101_2"}
SE = {"se-resnet101": "seresnet101", "se-resnet152": "seresnet152"}
SE |= {"se-resnext101": "seresnext101_32x4d"}
VGG = {f"vgg{n}@torchvision": f"vgg{n}" for n in (13, 16, 19)}
VGG |= {f"vgg{n}-bn": f"vgg{n}_bn" for n in (13, 16, 19)}

PUBLISHED: tuple[Published, ...] = (
    of_torchvision("alexnet@torchvision", "alexnet", smallest=63, numbers="slowly"),
    of_torchvision("vgg11@torchvision", "vgg11", smallest=32, numbers="slowly"),
    of_torchvision("vgg11-bn", "vgg11_bn", smallest=32),
    *(of_torchvision(*names, smallest=32) for names in VGG.items()),
    of_torchvision("resnet18", "resnet18", numbers="always"),
    of_torchvision("resnet34", "resnet34"),
    of_torchvision("resnet50@torchvision", "resnet50", numbers="always"),
    *(of_torchvision(f"{name}@torchvision", name) for name in DEEPER),
    of_torchvision("resnext50", "resnext50_32x4d", numbers="slowly"),
    of_torchvision("resnext101-32x8d", "resnext101_32x8d"),
    of_torchvision("resnext101-64x4d", "resnext101_64x4d"),
    of_torchvision("wide-resnet-50-2", "wide_resnet50_2"),
    *(of_torchvision(*names) for names in WIDE.items()),
    of_torchvision("densenet121", "densenet121", smallest=29, numbers="always"),
    *(of_torchvision(name, name, smallest=29) for name in DENSER),
    Published(
        source="torchvision",
        name="googlenet@torchvision",
        build=partial(with_heads, "googlenet"),
        smallest=15,
        numbers="always",
    ),
    Published(
        source="torchvision",
        name="inception_v3@torchvision",
        build=partial(with_heads, "inception_v3"),
        smallest=75,
        odd=107,
        trained=299,
        numbers="slowly",
    ),
    of_torchvision("swin_t", "swin_t", smallest=4, numbers="always"),
    of_torchvision("swin_s", "swin_s", smallest=4),
    of_torchvision("swin_b", "swin_b", smallest=4),
    of_timm("resnet18", "resnet18", numbers="slowly"),
    of_timm("resnet34", "resnet34"),
    of_timm("resnet50@torchvision", "resnet50", numbers="slowly"),
    *(of_timm(f"{name}@torchvision", name) for name in DEEPER),
    of_timm("resnext50", "resnext50_32x4d"),
    of_timm("resnext101", "resnext101_32x4d"),
    of_timm("wide-resnet-50-2", "wide_resnet50_2"),
    *(of_timm(*names) for names in WIDE.items()),
    of_timm("densenet121", "densenet121", smallest=29, numbers="slowly"),
    *(of_timm(name, name, smallest=29) for name in DENSER),
    of_timm(
        "inception_v3@torchvision",
        "inception_v3",
        smallest=75,
        odd=107,
        trained=75,
        numbers="always",
    ),
    of_timm("inception_v4@timm", "inception_v4", smallest=75, odd=77, trained=75, numbers="slowly"),
    of_timm(
        "inception_resnet_v2@timm",
        "inception_resnet_v2",
        smallest=75,
        odd=77,
        trained=75,
        numbers="slowly",
    ),
    of_timm("se-resnet50", "legacy_seresnet50", smallest=3, numbers="always"),
    of_timm("se-resnext50", "legacy_seresnext50_32x4d", smallest=3, numbers="slowly"),
    *(of_timm(name, f"legacy_{theirs}", smallest=3) for name, theirs in SE.items()),
    of_timm("senet154", "legacy_senet154", smallest=3),
    of_timm("se-resnet50@timm", "seresnet50", numbers="always"),
    of_timm("se-resnext50@timm", "seresnext50_32x4d", numbers="slowly"),
    *(of_timm(f"{name}@timm", theirs) for name, theirs in SE.items()),
    of_timm("swin_t", "swin_tiny_patch4_window7_224", only=224, trained=224, numbers="slowly"),
    of_timm("swin_s", "swin_small_patch4_window7_224", only=224),
    of_timm("swin_b", "swin_base_patch4_window7_224", only=224),
    of_timm("mobilenet_v1@timm", "mobilenetv1_100", numbers="always"),
    eca("eca-resnet18", "BasicBlock", (2, 2, 2, 2), "always"),
    eca("eca-resnet34", "BasicBlock", (3, 4, 6, 3)),
    eca("eca-resnet50", "Bottleneck", (3, 4, 6, 3), "slowly"),
    eca("eca-resnet101", "Bottleneck", (3, 4, 23, 3)),
    eca("eca-resnet152", "Bottleneck", (3, 8, 36, 3)),
)
