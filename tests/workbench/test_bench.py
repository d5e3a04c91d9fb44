import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.runtime.measure import Effort
from convatlas.workbench.bench import Bench, How, bench, table
from convatlas.workbench.cold import Cold

QUICKLY = Effort(block=0.01)
NUMBERS = itertools.count()
NETS = """
import numpy as np
import torch
from torch import nn


class Opaque(nn.Module):
    def forward(self, x):
        return torch.from_numpy(np.tanh(x.numpy())).flatten(1)


opaque = Opaque()


def half():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 5)).half()
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The place of a network of one's own, importable from the working directory."""
    module = f"benched{next(NUMBERS)}"
    (tmp_path / f"{module}.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return lambda name: f"{module}:{name}"


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
    assert measured.macs
    assert row["% of peak"] == pytest.approx(
        100 * 2 * measured.macs / other.median / measured.peak, abs=0.05
    )
    assert row["least"] <= row["ms"] <= row["most"]


def test_a_cold_start_takes_longer_with_torch(measured: Bench) -> None:
    assert measured.cold is not None
    eager, other = measured.cold["eager"], measured.cold["onnxruntime"]
    assert isinstance(eager, Cold)
    assert isinstance(other, Cold)
    assert other.seconds > 0
    assert 10 * 2**20 < other.memory < eager.memory  # it imports no torch
    cold = {row[2]: row[-2:] for row in table([measured]).rows}
    assert cold["eager"] == (round(eager.seconds, 2), round(eager.memory / 2**20))


def test_cold_starts_at_another_size() -> None:
    how = How(effort=QUICKLY, threads=1, cold=True, size="1x40x40")
    found = bench(["lenet-relu"], engines=["eager", "onnxruntime"], how=how)[0]
    assert found.cold
    assert {type(each) for each in found.cold.values()} == {Cold}


def test_cold_starts_of_ones_own_in_half_precision(own: Callable[[str], str]) -> None:
    how = How(effort=QUICKLY, threads=1, cold=True, size="1x8x8")
    found = bench([own("half")], engines=["eager", "onnxruntime"], how=how)[0]
    assert found.cold
    assert {type(each) for each in found.cold.values()} == {Cold}


def test_a_network_that_cannot_be_traced_has_no_share_of_the_peak(
    own: Callable[[str], str],
) -> None:
    how = How(effort=QUICKLY, threads=1, size="1x8x8")
    found = bench([own("opaque")], engines=["eager"], how=how)[0]
    assert found.macs is None
    assert found.note.startswith("no share of the peak, as its multiply-adds cannot be counted: ")
    made = table([found])
    row = dict(zip(made.columns, made.rows[0], strict=True))
    assert row["% of peak"] == "unknown"
    assert row["images/s"]


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match=r"batches are numbers from 1, given \[0\]"):
        bench(["lenet-bn"], [0])
    with pytest.raises(UserError, match="did you mean 'eager'"):
        bench(["lenet-bn"], [1], ["eagre"])
