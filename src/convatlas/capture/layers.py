"""The layers of a network in the order they run, with their sizes and cost."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from convatlas.capture.watch import is_leaf, watched


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


def layers(model: nn.Module, pictures: Tensor) -> tuple[Layer, ...]:
    """Every leaf module that runs on the pictures (1, C, H, W), in order.

    With model and pictures on the meta device nothing is computed. That brings in a symbolic
    algebra package, which takes seconds; for a small network a real picture is quicker.
    """
    rows: list[Layer] = []
    counted: set[str] = set()

    def seen(path: str, module: nn.Module, _given: tuple[object, ...], made: object) -> None:
        if not is_leaf(module) or not isinstance(made, Tensor):
            return
        shape, kind = made.shape[1:], type(module).__name__
        parameters = 0 if path in counted else sum(p.numel() for p in module.parameters())
        counted.add(path)  # a layer used twice has its parameters once
        rows.append(Layer(path, kind, tuple(shape), parameters, macs(module, shape)))

    with watched(model, seen), torch.inference_mode():
        model(pictures)
    return tuple(rows)


def macs(module: nn.Module, output: torch.Size) -> int | None:
    """Multiply-adds of one layer for one picture, biases not counted."""
    if isinstance(module, CountsItsMacs):
        return module.macs(output)
    if isinstance(module, nn.Conv2d | nn.Linear):
        return output.numel() * module.weight[0].numel()
    has_weights = any(True for _ in module.parameters())
    return None if has_weights and not isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) else 0
