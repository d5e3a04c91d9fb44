import csv
import io
from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.workbench.compare import compare, ratio


def test_alexnet_over_lenet() -> None:
    """True ratios, of LeNet-5's 60,000 parameters and 328,096 multiply-adds."""
    found = compare(["lenet5", "alexnet"])
    first, second = found.table.rows
    by_name = dict(zip(found.table.columns, second, strict=True))
    assert (by_name["× parameters"], by_name["× MACs"]) == (1016, 2208)
    assert set(first[-3:]) == {1.0}
    assert by_name["parameters"] == 60_965_224
    rows = list(csv.DictReader(io.StringIO(found.text("csv"))))
    assert rows[1]["× MACs"] == "2208"
    assert "Ratios are to lenet5." in str(found)
    assert "<p>Ratios are to lenet5." in found._repr_html_()


def test_one_input_for_all() -> None:
    found = compare(["resnet18", "resnet34"], "64", batch=2)
    assert [one.inputs for one in found.networks] == ["3×64×64", "3×64×64"]
    assert found.networks[0].macs > 0
    with pytest.raises(UserError, match="lenet5 takes 1 channels"):
        compare(["resnet18", "lenet5"], "3x32x32")
    with pytest.raises(UserError, match="name the networks to compare"):
        compare([])


def test_pictures(tmp_path: Path) -> None:
    found = compare(["lenet5", "alexnet"])
    for ending in ("svg", "PNG", "pdf"):
        found.draw(tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").stat().st_size > 1000
    with pytest.raises(UserError, match=r"end its name in .svg, .png or .pdf"):
        found.draw(tmp_path / "a.gif")
    with pytest.raises(UserError, match="cannot write"):
        found.draw(tmp_path / "absent" / "a.svg")


def test_ratios_are_rounded_to_what_is_worth_reading() -> None:
    assert [ratio(value) for value in (None, 1.0, 0.123, 99.994, 99.999, 1016.09)] == [
        *("", 1.0, 0.12, 99.99, 100.0, 1016)
    ]
