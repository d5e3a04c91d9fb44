"""The layers of a network in the order they run, with their sizes and cost.

A copy of the network is walked on the meta device: shapes are worked out, nothing is computed
and the network itself is not touched.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class CountsItsMacs(Protocol):
    """A layer of ours that is none of torch's says itself how many multiply-adds it does."""

    def macs(self, output: torch.Size) -> int:
        """Multiply-adds for one picture; ``output`` is its output shape without the batch."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One call of one layer, for one picture. ``macs`` is ``None`` where it cannot be told."""

    path: str
    kind: str
    output: tuple[int, ...]  # without the batch
    parameters: int
    macs: int | None


def layers(model: nn.Module, input_shape: Iterable[int]) -> tuple[Layer, ...]:
    """Every leaf module called on one picture of shape (C, H, W), in order."""
    twin = copy.deepcopy(model).to("meta").eval()
    rows: list[Layer] = []
    counted: set[str] = set()

    def note(path: str, module: nn.Module, output: Tensor) -> None:
        shape = output.shape[1:]
        parameters = 0 if path in counted else sum(p.numel() for p in module.parameters())
        counted.add(path)  # a layer used twice has its parameters once
        rows.append(
            Layer(path, type(module).__name__, tuple(shape), parameters, macs(module, shape))
        )

    for path, module in twin.named_modules():
        if not any(module.children()):
            module.register_forward_hook(
                lambda layer, _inputs, output, path=path: note(path, layer, output)
            )
    with torch.inference_mode():
        twin(torch.empty(1, *input_shape, device="meta"))
    return tuple(rows)


def macs(module: nn.Module, output: torch.Size) -> int | None:
    """Multiply-adds of one layer for one picture, biases not counted."""
    if isinstance(module, CountsItsMacs):
        return module.macs(output)
    if isinstance(module, nn.Conv2d | nn.Linear):
        return output.numel() * module.weight[0].numel()
    has_weights = any(True for _ in module.parameters())
    return None if has_weights and not isinstance(module, nn.BatchNorm2d) else 0
