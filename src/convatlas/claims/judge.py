"""Whether what was measured is what is printed."""

from collections.abc import Iterator
from decimal import Decimal

from convatlas.claims.claim import DIFFERS, HOLDS, ROUNDED, Claim, Printed
from convatlas.claims.measure import Value
from convatlas.claims.units import half_unit, scale

DIGITS = 10  # of a measured figure that is no whole number, where it is written down


def judge(claim: Claim, measured: Value) -> str:
    """``holds``, ``holds (rounded)`` or ``differs``."""
    verdicts = set(_each(claim, claim.printed, measured))
    for verdict in (DIFFERS, ROUNDED):
        if verdict in verdicts:
            return verdict
    return HOLDS


def _each(claim: Claim, printed: Printed, measured: Value) -> Iterator[str]:
    if isinstance(printed, tuple) and isinstance(measured, tuple):
        if len(printed) != len(measured):
            yield DIFFERS
            return
        for one, other in zip(printed, measured, strict=True):
            yield from _each(claim, one, other)
    elif isinstance(printed, tuple) or isinstance(measured, tuple):
        yield DIFFERS
    elif isinstance(printed, str) or isinstance(measured, str):
        yield HOLDS if printed == measured else DIFFERS
    else:
        yield _number(claim, printed, in_unit(measured, claim.unit))


def _number(claim: Claim, printed: int | Decimal, measured: Decimal) -> str:
    if claim.under:
        return HOLDS if measured < printed else DIFFERS
    if measured == printed:
        return HOLDS
    half = half_unit(printed) if claim.half is None else claim.half
    return ROUNDED if abs(measured - printed) <= half else DIFFERS


def in_unit(measured: int | float, unit: str) -> Decimal:
    """A figure in the unit it is printed in."""
    return Decimal(str(measured)) / scale(unit)


def kept(measured: Value, unit: str) -> Printed:
    """What was measured as the ledger writes it down, in the unit printed, to ten digits."""
    if isinstance(measured, tuple):
        return tuple(kept(value, unit) for value in measured)
    if isinstance(measured, str):
        return measured
    figure = in_unit(measured, unit)
    if figure == figure.to_integral_value():
        return int(figure)
    return Decimal(f"{figure:.{DIGITS}g}") if abs(figure) < 10**DIGITS else figure
