from decimal import Decimal

import pytest

from convatlas.claims.claim import Claim, Printed
from convatlas.claims.judge import judge, kept
from convatlas.claims.measure import Value


def claim(printed: Printed, unit: str = "", half: str | None = None, under: bool = False) -> Claim:
    return Claim(
        id="x",
        network="",
        what="",
        printed=printed,
        unit=unit,
        source="",
        place="",
        provenance="paper",
        verdict="",
        half=None if half is None else Decimal(half),
        under=under,
    )


@pytest.mark.parametrize(
    ("printed", "unit", "measured", "verdict"),
    [
        (1516, "parameters", 1516, "holds"),
        (1516, "parameters", 1517, "differs"),
        (138, "million parameters", 138_357_544, "holds (rounded)"),
        (Decimal("3.8"), "billion multiply-adds", 3_857_973_248, "differs"),  # 3.9
        (Decimal("11.3"), "billion multiply-adds", 11_282_415_616, "holds (rounded)"),
        (Decimal("11.30"), "billion multiply-adds", 11_282_415_616, "differs"),
        (112, "Ki weights", 112 * 1024, "holds"),
        (Decimal("0.0001"), "", 0.0005 / 5, "holds"),
        ((6, 28, 28), "C×H×W", (6, 28, 28), "holds"),
        ((6, 28, 28), "C×H×W", (6, 28), "differs"),
        (120, "", (120, 1, 1), "differs"),
        (((1, 2), "max"), "", ((1, 2), "max"), "holds"),
        ("max", "", "avg", "differs"),
        ("3", "", 3, "differs"),
        ((70, 70), "thousand weights", (69_632, 70_144), "holds (rounded)"),
        ((70, 70), "thousand weights", (70_000, 71_000), "differs"),
    ],
)
def test_verdicts(printed: Printed, unit: str, measured: Value, verdict: str) -> None:
    assert judge(claim(printed, unit), measured) == verdict


def test_half_a_unit_may_be_given_and_counts_itself() -> None:
    assert judge(claim(720, "million", half="5"), 725_000_000) == "holds (rounded)"
    assert judge(claim(720, "million", half="5"), 725_000_001) == "differs"


def test_an_upper_bound() -> None:
    assert judge(claim(25, "million", under=True), 24_999_999) == "holds"
    assert judge(claim(25, "million", under=True), 25_000_000) == "differs"


def test_what_is_written_down() -> None:
    assert kept(60_965_224, "million parameters") == Decimal("60.965224")
    assert kept(379 * 1024, "Ki weights") == 379
    assert kept((1, "max", 2 / 3), "") == (1, "max", Decimal("0.6666666667"))
