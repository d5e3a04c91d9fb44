"""The networks: one file per paper, listed here in one explicit table."""

from dataclasses import replace
from typing import Any

from torch import nn

from convatlas.errors import UserError
from convatlas.models import (
    alexnet,
    cbam,
    densenet,
    eca,
    googlenet,
    inception_resnet,
    inception_v2,
    inception_v3,
    inception_v4,
    lenet,
    mobilenet_v1,
    nin,
    preact_resnet,
    resnet,
    resnet_cifar,
    resnext,
    senet,
    swin,
    unet,
    vgg,
    vgg_cifar,
    wide_resnet,
    zfnet,
)
from convatlas.models.family import Blueprint, Family, Task, adapt
from convatlas.nearest import unknown

FAMILIES: tuple[Family[Any], ...] = (
    lenet.FAMILY,
    alexnet.FAMILY,
    vgg.FAMILY,
    vgg_cifar.FAMILY,
    zfnet.FAMILY,
    nin.FAMILY,
    resnet.FAMILY,
    resnet_cifar.FAMILY,
    preact_resnet.FAMILY,
    wide_resnet.FAMILY,
    resnext.FAMILY,
    senet.FAMILY,
    cbam.FAMILY,
    eca.FAMILY,
    densenet.FAMILY,
    googlenet.FAMILY,
    inception_v2.FAMILY,
    inception_v3.FAMILY,
    inception_v4.FAMILY,
    inception_resnet.FAMILY,
    swin.FAMILY,
    mobilenet_v1.FAMILY,
    unet.FAMILY,
)


def names() -> tuple[str, ...]:
    """Every network by name, in the order of the table."""
    return tuple(name for family in FAMILIES for name in family.variants)


def blueprint(name: str, task: Task = Task()) -> Blueprint[Any]:  # noqa: B008 - a frozen value
    """The named network, adapted to a task; raises `UserError` with the nearest name."""
    for family in FAMILIES:
        if name in family.variants:
            return adapt(name, family, task)
    raise UserError(unknown(name, names()))


def create(
    name: str,
    task: Task = Task(),  # noqa: B008 - a frozen value
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    image_size: int | None = None,
    init: bool = True,
) -> nn.Module:
    """Build the named network for input ``(N, in_channels, size, size)``.

    What is not given is as published; stem or head are adapted, and `blueprint` says how the
    network then departs from its paper. Weights are drawn as the paper says, from torch's global
    generator, or not at all (``init=False``: on the meta device, in milliseconds).
    """
    given = {"num_classes": num_classes, "in_channels": in_channels, "image_size": image_size}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    found = blueprint(name, replace(task, **changes))
    return found.build() if init else found.layout()
