import json

import pytest

from convatlas.runtime.auto import Measured
from convatlas.runtime.measure import Effort
from convatlas.tables import render
from convatlas.workbench.bench import Bench
from convatlas.workbench.bench_table import figure, table

EAGER = Measured(name="eager", error=0.0, seconds=(0.1,) * 5)


def of(*measured: Measured, load: str = "", effort: Effort = Effort()) -> Bench:  # noqa: B008 - a frozen value
    return Bench(
        network="net", batch=1, macs=1, peak=1e12, measured=measured, load=load, effort=effort
    )


def rows(found: Bench) -> dict[str, dict[str, object]]:
    return {row["engine"]: row for row in json.loads(render(table([found]), "json"))}


def test_small_figures_keep_their_digits_and_the_error_is_a_number() -> None:
    slow = Measured(name="slow", error=2.34e-7, seconds=(485.4321,) * 5)
    row = rows(of(EAGER, slow))["slow"]
    assert row["x eager"] == 0.000206
    assert row["images/s"] == 0.00206
    assert row["% of peak"] == 2.06e-13
    assert row["ms"] == 485400
    assert (row["error"], rows(of(EAGER))["eager"]["error"]) == (2.3e-7, 0.0)


def test_one_that_is_refused_has_no_figures() -> None:
    out = Measured(name="wrong", error=float("inf"), refused="it is wrong")
    row = rows(of(EAGER, out))["wrong"]
    assert (row["ms"], row["error"], row["refused"], row["doubt"]) == ("", "", "it is wrong", "")


@pytest.mark.parametrize(
    ("seconds", "load", "doubt"),
    [
        ((0.1,) * 5, "", ""),
        ((0.1, 0.1, 0.1, 0.1, 0.2), "", ""),
        ((0.1, 0.1, 0.1, 0.1, 0.25), "", "most is 2.5 times least"),
        ((0.1,) * 5, "load 9.1 on 2 processors", "load 9.1 on 2 processors"),
        ((0.1, 0.1), "", "2 of 5 blocks, as 7 s were over"),
    ],
)
def test_what_is_in_doubt_of_it(seconds: tuple[float, ...], load: str, doubt: str) -> None:
    measured = Measured(name="eager", error=0.0, seconds=seconds)
    assert rows(of(measured, load=load, effort=Effort(limit=7)))["eager"]["doubt"] == doubt


def test_people_see_no_columns_without_words() -> None:
    assert table([of(EAGER)], whole=False).columns[-1] == "error"
    assert table([of(EAGER)]).columns[-3:] == ("error", "doubt", "refused")
    doubted = table([of(EAGER, load="load 9.1 on 2 processors")], whole=False)
    assert doubted.columns[-2:] == ("error", "doubt")
    assert doubted.rows[0][-1] == "load 9.1 on 2 processors"


def test_digits() -> None:
    assert [figure(x) for x in (1.23456e-9, 0.1, 12345.6)] == [1.235e-9, 0.1, 12350.0]
