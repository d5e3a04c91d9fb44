"""Units as papers print them, and how far a figure may be off."""

from decimal import Decimal

from convatlas.errors import UserError

SCALES = {
    "hundred million": 10**8,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "Ki": 2**10,  # where K, M, G turn out to be powers of two
    "Mi": 2**20,
    "Gi": 2**30,
}


def scale(unit: str) -> int:
    """What one of the unit stands for: ``million parameters`` is 1,000,000."""
    for word, factor in SCALES.items():
        if unit == word or unit.startswith(f"{word} "):
            return factor
    return 1


def half_unit(printed: int | Decimal) -> Decimal:
    """Half a unit of the last place: 0.05 for 3.8, 0.5 for 138; raises `UserError` for NaN."""
    exponent = Decimal(printed).as_tuple().exponent
    if not isinstance(exponent, int):
        raise UserError(f"{printed} is no figure")
    return Decimal(5).scaleb(exponent - 1)
