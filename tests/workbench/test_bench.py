import pytest

from convatlas.errors import UserError
from convatlas.runtime.measure import Effort
from convatlas.workbench.bench import Bench, How, bench, table

QUICKLY = Effort(block=0.01, hopeless=float("inf"))


@pytest.fixture(scope="module")
def measured() -> Bench:
    how = How(effort=QUICKLY, threads=1, cold=True)
    return bench(["lenet-bn"], [2], ["eager", "onnxruntime"], how)[0]


def test_rates_and_ratios_follow_from_the_medians(measured: Bench) -> None:
    made = table([measured])
    rows = {row[2]: dict(zip(made.columns, row, strict=True)) for row in made.rows}
    eager, other = ({m.name: m for m in measured.measured}[n] for n in ("eager", "onnxruntime"))
    row = rows["onnxruntime"]
    assert row["x eager"] == pytest.approx(eager.median / other.median, abs=0.005)
    assert row["images/s"] == pytest.approx(2 / other.median, rel=1e-3)
    assert row["% of peak"] == pytest.approx(
        100 * 2 * measured.macs / other.median / measured.peak, abs=0.05
    )
    assert row["least"] <= row["ms"] <= row["most"]


def test_a_cold_start_takes_longer_with_torch(measured: Bench) -> None:
    assert measured.cold is not None
    eager, other = measured.cold["eager"], measured.cold["onnxruntime"]
    assert eager is not None
    assert other is not None
    assert other.seconds > 0
    assert 10 * 2**20 < other.memory < eager.memory  # it imports no torch
    cold = {row[2]: row[-2:] for row in table([measured]).rows}
    assert cold["eager"] == (round(eager.seconds, 2), round(eager.memory / 2**20))


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match=r"batches are numbers from 1, given \[0\]"):
        bench(["lenet-bn"], [0])
    with pytest.raises(UserError, match="did you mean 'eager'"):
        bench(["lenet-bn"], [1], ["eagre"])
