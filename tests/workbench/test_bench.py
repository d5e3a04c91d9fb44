import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from convatlas.errors import UserError
from convatlas.runtime.engines import ENGINES, Maker
from convatlas.runtime.measure import Effort
from convatlas.workbench.bench import Bench, How, bench
from convatlas.workbench.bench_table import table
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
    assert row["x eager"] == pytest.approx(eager.median / other.median, rel=1e-3)
    assert row["images/s"] == pytest.approx(2 / other.median, rel=1e-3)
    assert measured.macs
    assert row["% of peak"] == pytest.approx(
        100 * 2 * measured.macs / other.median / measured.peak, rel=1e-3
    )
    assert row["least"] <= row["ms"] <= row["most"]


def test_a_cold_start_takes_longer_with_torch(measured: Bench) -> None:
    assert measured.cold is not None
    eager, other = measured.cold["eager"], measured.cold["onnxruntime"]
    assert isinstance(eager, Cold)
    assert isinstance(other, Cold)
    assert other.seconds > 0
    assert 10 * 2**20 < other.memory < eager.memory  # it imports no torch
    made = table([measured])
    row = next(dict(zip(made.columns, r, strict=True)) for r in made.rows if "eager" in r)
    assert (row["cold start s"], row["MiB"]) == (
        *(round(eager.seconds, 2), round(eager.memory / 2**20)),
    )


def test_cold_starts_at_another_size() -> None:
    how = How(effort=QUICKLY, threads=1, cold=True)
    found = bench("lenet-relu", 1, ["eager", "onnxruntime"], how, input="1x40x40")[0]
    assert found.cold
    assert {type(each) for each in found.cold.values()} == {Cold}


def test_cold_starts_of_ones_own_in_half_precision(own: Callable[[str], str]) -> None:
    how = How(effort=QUICKLY, threads=1, cold=True)
    found = bench(own("half"), 1, ["eager", "onnxruntime"], how, input=(1, 8, 8))[0]
    assert found.cold
    assert {type(each) for each in found.cold.values()} == {Cold}


def test_a_network_that_cannot_be_traced_has_no_share_of_the_peak(
    own: Callable[[str], str],
) -> None:
    how = How(effort=QUICKLY, threads=1)
    found = bench(own("opaque"), 1, "eager", how, input=(1, 8, 8))[0]
    assert found.macs is None
    assert found.note.startswith("no share of the peak, as its multiply-adds cannot be counted: ")
    made = table([found])
    row = dict(zip(made.columns, made.rows[0], strict=True))
    assert row["% of peak"] == "unknown"
    assert row["images/s"]


def test_one_network_batch_and_engine_need_no_list() -> None:
    how = How(effort=QUICKLY, threads=1)
    [found] = bench("lenet-bn", 2, "eager", how)
    assert (found.network, found.batch, [m.name for m in found.measured]) == (
        *("lenet-bn", 2, ["eager"]),
    )
    assert not found.left_out  # it was named


def test_a_module_in_hand() -> None:
    how, module = How(effort=QUICKLY, threads=1), nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    [found] = bench(module, 1, "eager", how, input=(1, 8, 8))
    assert (found.network, found.macs) == ("Sequential", 320)
    with pytest.raises(UserError, match="the Sequential in hand cannot be started in another"):
        bench(module, how=How(cold=True), input=(1, 8, 8))


def test_what_is_left_out_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Maker(build=lambda job: job.network.eager, lacking=lambda: "there is no such chip")
    asked = replace(lacking, asked=True)
    makers = {"eager": ENGINES["eager"], "rare": lacking, "asked": asked}
    for place in ("convatlas.runtime.engines.ENGINES", "convatlas.runtime.auto.ENGINES"):
        monkeypatch.setattr(place, makers)
    [found] = bench("lenet-bn", how=How(effort=QUICKLY, threads=1))
    assert found.left_out == {"rare": "there is no such chip"}


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match=r"batches are numbers from 1, given \[0\]"):
        bench("lenet-bn", 0)
    with pytest.raises(UserError, match="did you mean 'eager'"):
        bench("lenet-bn", 1, ["eagre"])
    with pytest.raises(UserError, match="unknown network 'lenet-bm'"):
        bench(["lenet-bn", "lenet-bm"])
    with pytest.raises(UserError, match="no network is given"):
        bench([])
    with pytest.raises(UserError, match="9999 threads would wait for one another"):
        bench("lenet-bn", how=How(threads=9999))
