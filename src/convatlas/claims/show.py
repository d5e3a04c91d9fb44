"""Figures as text."""

from decimal import Decimal
from typing import TYPE_CHECKING

from convatlas.claims.units import half_unit

if TYPE_CHECKING:
    from convatlas.claims.claim import Claim, Printed
    from convatlas.claims.verify import Finding

SHAPES = ("C×H×W", "H×W×C", "rows × columns")
MORE = 2  # digits told of a measured figure beyond those printed


def printed(claim: "Claim") -> str:
    """A figure as printed, with its unit."""
    figure, unit = text(claim.printed, claim.unit), claim.unit
    if not unit or unit in SHAPES:
        return figure
    figure = f"under {figure}" if claim.under else figure
    return f"{figure} ({unit})" if "," in unit or ";" in unit else f"{figure} {unit}"


def measured(finding: "Finding") -> str:
    """What was measured in the unit printed; nothing where nothing is measured."""
    value = finding.measured
    if value is None:
        return ""
    if isinstance(value, Decimal) and isinstance(finding.claim.printed, int | Decimal):
        value = shortened(value, finding.claim.printed)
    return text(value, finding.claim.unit)


def shortened(value: Decimal, like: int | Decimal) -> Decimal:
    """To two digits more than the figure that it is compared with, if it has more."""
    last = half_unit(like).scaleb(-MORE + 1) * 2
    return value if value == value.quantize(last) else value.quantize(last)


def text(figure: "Printed", unit: str = "") -> str:
    """A figure as text: 1,516 or 11.30, a shape as 6×28×28, a list as 11.7, 6.7."""
    if isinstance(figure, tuple):
        if any(isinstance(part, tuple) for part in figure):
            return "; ".join(text(part, unit) for part in figure)
        if len(figure) == 1:
            return text(figure[0])
        return ("×" if unit in SHAPES else ", ").join(map(str, figure))
    if isinstance(figure, str):
        return figure
    return f"{figure:,}"
