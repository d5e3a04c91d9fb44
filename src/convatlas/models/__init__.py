"""The networks: one file per paper, listed here in one explicit table."""

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


def create(name: str, task: Task = Task()) -> nn.Module:  # noqa: B008 - a frozen value
    """Build the named network with fresh weights, for input ``(N, in_channels, size, size)``."""
    return blueprint(name, task).build()
