"""What each layer costs: output, parameters, multiply-adds."""

from dataclasses import dataclass

import torch
from torch import nn

from convatlas.capture.layers import Layer, layers
from convatlas.reports.numbers import whole
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
    found = layers(model, torch.zeros(1, card.in_channels, card.image_size, card.image_size))
    known = sum(layer.macs for layer in found if layer.macs is not None)
    complete = all(layer.macs is not None for layer in found)
    return Costs(
        rows=tuple(_row(layer) for layer in found),
        parameters=whole(sum(layer.parameters for layer in found)),
        macs=whole(known) if complete else f"at least {whole(known)}",
    )


def _row(layer: Layer) -> CostRow:
    return CostRow(
        path=layer.path,
        kind=layer.kind,
        output=" × ".join(map(str, layer.output)),
        parameters=whole(layer.parameters),
        macs="unknown" if layer.macs is None else whole(layer.macs),
    )
