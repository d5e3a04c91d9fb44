"""Small networks, each made for one thing that the doctor is to find, and its way out."""

import re
from collections.abc import Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn


def tutorial_alexnet() -> nn.Sequential:
    """AlexNet in one column as many tutorials write it, for grey pictures of 28x28 it cannot take.

    Sides by hand, side n: conv1 a = ⌊(n + 2 − 11)/4⌋ + 1, pools b = ⌊(a − 3)/2⌋ + 1,
    c = ⌊(b − 3)/2⌋ + 1, d = ⌊(c − 3)/2⌋ + 1. n = 28: a = 5, b = 2, and the second pool dies.
    d ≥ 1 needs c ≥ 3, b ≥ 7, a ≥ 15, n + 2 − 11 ≥ 56, n ≥ 65. 6400 = 256·5·5 needs d = 5:
    c = 11 or 12, b = 23 to 26, a = 47 to 54, n − 9 = 184 to 215, n = 193 to 224.
    """
    return nn.Sequential(
        *(nn.Conv2d(1, 96, 11, 4, 1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        nn.Flatten(),
        *(nn.Linear(6400, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(4096, 10),
    )


def runs(module: nn.Module, *shapes: tuple[int, ...], training: bool = False) -> bool:
    """Whether torch itself runs a module, on tensors without values."""
    module = deepcopy(module).to("meta").train(training)
    try:
        with torch.no_grad():
            module(*(torch.empty(shape, device="meta") for shape in shapes))
    except (RuntimeError, ValueError, TypeError):
        return False
    return True


def sides(module: nn.Module, channels: int, upto: int) -> list[int]:
    """The sides up to one that torch itself takes."""
    bare = module.to("meta").eval()
    return [side for side in range(1, upto + 1) if runs(bare, (1, channels, side, side))]


def changed(module: nn.Module, change: str) -> nn.Module:
    """A change of a layer as the doctor words it, applied to a copy."""
    found = re.match(
        r"(rounding up \(ceil_mode=True\)|(padding|kernel_size|in_features)=(\d+)) in ([\w.]+)",
        change,
    )
    assert found is not None, change
    name, number, path = found[2], found[3], found[4]
    copy = deepcopy(module)
    layer = copy.get_submodule(path)
    if name is None:
        layer.ceil_mode = True
    elif name == "in_features":
        assert isinstance(layer, nn.Linear)
        copy.set_submodule(path, nn.Linear(int(number), layer.out_features))
    elif isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        sizes = {"kernel_size": layer.kernel_size, "padding": layer.padding}
        sizes[name] = (int(number),) * len(layer.kernel_size)
        new = type(layer)(
            *(layer.in_channels, layer.out_channels, sizes["kernel_size"], layer.stride),
            *(sizes["padding"], layer.dilation, layer.groups),
        )
        copy.set_submodule(path, new)
    else:
        setattr(layer, name, int(number))
    return copy


def rebuilt(module: nn.Module, change: str) -> nn.Module:
    """A change of channels, padding or stride as the doctor words it, applied to a copy.

    A layer is rebuilt with the setting changed, everything else as it reads off the layer.
    """
    copy = deepcopy(module)
    layers = re.findall(r"((?:\w+=\d+(?: and )?)+) in (\w[\w.]*)", change)
    assert layers, change
    for settings, path in layers:
        layer = copy.get_submodule(path)
        told = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", settings)}
        kept = {name: getattr(layer, name) for name in KEPT[type(layer)]}
        bias = {} if "bias" not in vars(layer)["_parameters"] else {"bias": layer.bias is not None}
        if isinstance(layer, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            bias = {}
        copy.set_submodule(path, type(layer)(**{**kept, **bias, **told}))
    return copy


CONVOLUTION = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "groups")
KEPT: dict[type, tuple[str, ...]] = {
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d), CONVOLUTION),
    nn.Linear: ("in_features", "out_features"),
    nn.BatchNorm2d: ("num_features",),
    nn.GroupNorm: ("num_groups", "num_channels"),
    nn.LayerNorm: ("normalized_shape",),
    nn.MaxPool2d: ("kernel_size", "stride", "padding"),
}


def layers_run(module: nn.Sequential, shape: tuple[int, ...]) -> Iterator[str]:
    """The layers of a sequence that torch gets through."""
    x: Tensor = torch.empty(shape, device="meta")
    for name, layer in module.to("meta").eval().named_children():
        try:
            x = layer(x)
        except RuntimeError:
            return
        yield name
