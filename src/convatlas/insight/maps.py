"""The feature maps that a network makes of one picture.

A convolution or a pooling begins a map; what follows it element by element (batch norm, a
non-linearity, dropout) still belongs to it, and the map is shown as it leaves the last of them:

    conv                          one map
    pool, batch norm, ReLU        one map
    sub-sampling, scaled tanh     one map

Which layers follow one another is read off the tensors they are handed, not off their names, so
it holds for any network.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from convatlas.graph.operation import Declared
from convatlas.graph.pointwise import Activation
from convatlas.insight.watch import is_leaf, watched

POOLINGS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """What one group of layers makes of a picture; ``kinds`` are the layers it went through."""

    path: str
    kinds: tuple[str, ...]
    values: Tensor  # (C, H, W)


def feature_maps(model: nn.Module, picture: Tensor) -> tuple[FeatureMaps, ...]:
    """Maps larger than 1×1 in the order they are made, for one pre-processed picture (C, H, W).

    The model runs in evaluation mode and is left as it was.
    """
    recorder = _Recorder()
    with watched(model, recorder.seen), torch.inference_mode():
        model(picture[None])
    return tuple(recorder.found)


class _Recorder:
    """Collects the groups; ``last`` is the very tensor that the newest group ended with."""

    def __init__(self) -> None:
        self.found: list[FeatureMaps] = []
        self.last: Tensor | None = None
        self.named_after_container = False

    def seen(self, path: str, module: nn.Module, given: tuple[object, ...], made: object) -> None:
        """A module has run."""
        if not isinstance(made, Tensor):
            return
        if not is_leaf(module):
            self.container(path, made)
        elif given and isinstance(given[0], Tensor):
            self.leaf(path, module, given[0], made)

    def leaf(self, path: str, layer: nn.Module, given: Tensor, made: Tensor) -> None:
        """A layer has run: it goes on with the newest group, or begins one."""
        if made.ndim != 4 or min(made.shape[-2:]) < 2:
            self.last = None
            return
        values, kind = made[0].clone(), type(layer).__name__  # the next layer may work in place
        if given is self.last and given.shape == made.shape and _is_elementwise(layer):
            group = self.found[-1]
            self.found[-1] = replace(group, kinds=(*group.kinds, kind), values=values)
        else:
            self.found.append(FeatureMaps(path, (kind,), values))
        self.last, self.named_after_container = made, False

    def container(self, path: str, made: Tensor) -> None:
        """A module that ends with the newest group lends it its shorter name, the innermost one."""
        if path and made is self.last and not self.named_after_container:
            self.found[-1] = replace(self.found[-1], path=path)
            self.named_after_container = True


def _is_elementwise(layer: nn.Module) -> bool:
    """Whether the layer keeps every map at its place: no multiply-adds, no window."""
    if isinstance(layer, Declared):
        return isinstance(layer.operation(), Activation)
    if isinstance(layer, POOLINGS):
        return False
    has_weights = any(True for _ in layer.parameters())
    return isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) or not has_weights
