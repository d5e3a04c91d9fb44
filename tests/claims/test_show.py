from decimal import Decimal

import pytest

from convatlas.claims.claim import Printed
from convatlas.claims.show import measured, printed, shortened, text
from convatlas.claims.verify import verify


@pytest.mark.parametrize(
    ("figure", "unit", "told"),
    [
        (1516, "parameters", "1,516"),
        (Decimal("11.30"), "", "11.30"),
        ((6, 28, 28), "C×H×W", "6×28×28"),
        ((4096,), "C×H×W", "4,096"),
        ((253440, 1000), "neurons", "253440, 1000"),
        (((1, 2), (3, 4)), "", "1, 2; 3, 4"),
        ("max", "", "max"),
    ],
)
def test_text(figure: Printed, unit: str, told: str) -> None:
    assert text(figure, unit) == told


def test_two_digits_more_than_printed() -> None:
    assert str(shortened(Decimal("3.857973248"), Decimal("3.8"))) == "3.858"
    assert str(shortened(Decimal("60.965224"), 60)) == "60.97"
    assert str(shortened(Decimal("6797.7"), Decimal("6797.7"))) == "6797.7"


def test_a_finding() -> None:
    told = {f.claim.id: (printed(f.claim), measured(f)) for f in verify().findings}
    assert told["resnet50.flops"] == ("3.8 billion multiply-adds", "3.858")
    assert told["incv3.params"] == ("under 25 million parameters", "24.26")
    assert told["resnet.t5"] == ("3.57 % error", "")
    assert told["zfnet.conv1"] == ("7, 2 (kernel, stride)", "7, 2")
