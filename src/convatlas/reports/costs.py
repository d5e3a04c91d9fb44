"""What each layer costs: output, parameters, multiply-adds."""

from dataclasses import dataclass

from torch import nn

from convatlas.analysis.cost import CONVENTION, cost
from convatlas.analysis.layers import Row, rows
from convatlas.capture.capture import capture
from convatlas.reports.numbers import whole
from convatlas.training.card import NetworkCard


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
    picture = (1, card.in_channels, card.image_size, card.image_size)
    found = cost(capture(model, picture, training=False, one_size=True))
    macs = whole(found.macs)
    return Costs(
        rows=tuple(_row(row) for row in rows(found.lines[1:], fold=False)),  # without the input
        parameters=whole(found.parameters),
        macs=f"at least {macs}" if found.graph.unknown else macs,
    )


def _row(row: Row) -> CostRow:
    return CostRow(
        path=row.name,
        kind=row.operation,
        output=" × ".join(map(str, row.output[1:])),
        parameters=whole(row.parameters),
        macs="unknown" if row.macs is None else whole(row.macs),
    )
