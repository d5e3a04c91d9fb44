import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from convatlas.cli.bench import command, notes
from convatlas.errors import UserError
from convatlas.runtime.auto import Measured
from convatlas.runtime.measure import Effort
from convatlas.workbench.bench import Bench


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convatlas.cli.bench.Effort", partial(Effort, block=0.01))


def test_a_row_for_each_engine_and_batch() -> None:
    arguments = ["lenet-bn", "--batch", "1,4", "--engines", "eager,onnxruntime", "--threads", "1"]
    ran = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    rows = json.loads(ran.stdout)
    assert sorted((row["batch"], row["engine"]) for row in rows) == [
        *((1, "eager"), (1, "onnxruntime"), (4, "eager"), (4, "onnxruntime")),
    ]
    for row in rows:
        assert 0 < row["least"] <= row["ms"] <= row["most"]
        assert row["% of peak"] > 0
        assert row["x eager"] == 1 or row["engine"] != "eager"
        assert 0 <= row["error"] < 1e-4
        assert (type(row["doubt"]), row["refused"]) == (str, "")


def test_it_says_what_it_is_at_and_for_machines_nothing() -> None:
    arguments = ["lenet-bn", "--batch", "1,2", "--engines", "eager", "--threads", "1"]
    ran = CliRunner().invoke(command, arguments, catch_exceptions=False)
    begun = [line for line in ran.stderr.splitlines() if line.endswith(" ...")]
    assert begun == ["lenet-bn ...", "lenet-bn, batch 1 ...", "lenet-bn, batch 2 ..."]
    ran = CliRunner().invoke(command, [*arguments, "--csv"], catch_exceptions=False)
    assert " ..." not in ran.stderr


def test_a_network_of_ones_own(nets: Callable[[str], str]) -> None:
    arguments = [nets("sequence"), "--input", "1x8x8", "--engines", "eager,onnxruntime", "--json"]
    ran = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert {row["engine"] for row in json.loads(ran.stdout)} == {"eager", "onnxruntime"}
    with pytest.raises(UserError, match="does not say what it takes; give "):
        CliRunner().invoke(command, [nets("sequence")], catch_exceptions=False)


MISTAKES = [
    (["lenet-bn", "--batch", "one"], "--batch takes numbers, like 1,32; given 'one'"),
    (["lenet-bn", "--batch", "0"], "batches are numbers from 1, given [0]"),
    (["lenet-bn", "--engines", "eagre"], "unknown engine 'eagre'; did you mean 'eager'"),
    (["lenet-bn", "--engines", ","], "--engines names none; write some"),
    (["lenet-bn", "--threads", "5000"], "5000 threads would wait for one another on "),
    (["lenet-bm"], "unknown network 'lenet-bm'"),
    (["runs/nope"], "there is no run folder runs/nope"),
]
PROBE = """
import json, sys
from convatlas.cli.bench import command
from convatlas.errors import UserError
for arguments in json.loads(sys.argv[1]):
    try:
        command.main(arguments, standalone_mode=False)
    except UserError as error:
        print(error)
assert "torch" not in sys.modules
"""


def test_mistakes_are_named_before_torch_is_imported(tmp_path: Path) -> None:
    told = [sys.executable, "-c", PROBE, json.dumps([arguments for arguments, _ in MISTAKES])]
    ran = subprocess.run(told, capture_output=True, text=True, check=True, cwd=tmp_path)
    lines = ran.stdout.splitlines()
    for line, (_, said) in zip(lines, MISTAKES, strict=True):
        assert line.startswith(said)


def found(seconds: tuple[float, ...], **more: object) -> Bench:
    measured = (Measured(name="eager", error=0.0, seconds=seconds),)
    return Bench(network="net", batch=1, macs=1, peak=1.0, measured=measured, **more)  # type: ignore[arg-type]


def test_figures_of_a_busy_machine_come_with_a_warning() -> None:
    assert notes([found((1.0, 2.0))]) == []
    [spread] = notes([found((1.0, 1.0)), found((1.0, 2.1))])
    assert "blocks of one engine differ by more than 2 times" in spread
    assert spread.endswith("when nothing else runs")
    assert notes([found((1.0,), load="load 9.0 on 2 processors")]) == [spread]
    [many] = notes([found((1.0, 2.1), threads=2)])
    assert many == f"{spread}, or with --threads 1"


def test_engines_that_are_missing_are_named_with_what_they_lack() -> None:
    left_out = {"cuda": "no GPU", "openvino": "install it", "tensorrt": "no GPU"}
    assert notes([found((1.0,), left_out=left_out)] * 2) == [
        "not measured here: cuda, tensorrt: no GPU | openvino: install it"
    ]
