"""What each layer costs: output, parameters, multiply-adds."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convatlas.capture.layers import Layer, macs
from convatlas.report.numbers import whole
from convatlas.training.card import NetworkCard

CONVENTION = "MAC = one multiply-add of convolution or dense layer; biases not counted."


@dataclass(frozen=True, slots=True)
class CostRow:
    """One layer as printed."""

    path: str
    kind: str
    output: str
    parameters: str
    macs: str


@dataclass(frozen=True, slots=True)
class Costs:
    """The rows and their sums; a sum with an unknown part is a lower bound and says so."""

    rows: tuple[CostRow, ...]
    parameters: str
    macs: str
    convention: str = CONVENTION


def costs(model: nn.Module, card: NetworkCard) -> Costs:
    """The network's layers for one picture of its card's size."""
    found = walk(model, torch.zeros(1, card.in_channels, card.image_size, card.image_size))
    known = sum(layer.macs for layer in found if layer.macs is not None)
    complete = all(layer.macs is not None for layer in found)
    return Costs(
        rows=tuple(_row(layer) for layer in found),
        parameters=whole(sum(layer.parameters for layer in found)),
        macs=whole(known) if complete else f"at least {whole(known)}",
    )


def walk(model: nn.Module, pictures: Tensor) -> tuple[Layer, ...]:
    """The rows of `convatlas.capture.layers.layers`, from a real forward pass.

    The meta device's convolution and batch norm import a symbolic algebra package, two seconds
    that a report cannot afford; one picture through a network takes milliseconds.
    """
    rows: list[Layer] = []
    counted: set[str] = set()

    def note(path: str, module: nn.Module, output: Tensor) -> None:
        parameters = 0 if path in counted else sum(p.numel() for p in module.parameters())
        counted.add(path)
        shape, kind = output.shape[1:], type(module).__name__
        rows.append(Layer(path, kind, tuple(shape), parameters, macs(module, shape)))

    handles = [
        module.register_forward_hook(
            lambda layer, _inputs, output, path=path: note(path, layer, output)
        )
        for path, module in model.named_modules()
        if not any(True for _ in module.children())
    ]
    try:
        with torch.inference_mode():
            model(pictures)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(rows)


def _row(layer: Layer) -> CostRow:
    return CostRow(
        path=layer.path,
        kind=layer.kind,
        output=" × ".join(map(str, layer.output)),
        parameters=whole(layer.parameters),
        macs="unknown" if layer.macs is None else whole(layer.macs),
    )
