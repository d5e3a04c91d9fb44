import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from convatlas import atlas
from convatlas.cli import COMMANDS, main


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def convatlas(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> "Run":
    monkeypatch.chdir(tmp_path)
    return Run(monkeypatch, capsys)


class Run:
    """Call the command line in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["convatlas", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        captured = self.capsys.readouterr()
        return Ran(status, captured.out, captured.err)


def test_help_lists_every_command(convatlas: Run) -> None:
    out = convatlas("--help").out
    assert all(name in out for name in COMMANDS)


def test_list_says_the_same_in_every_format(convatlas: Run) -> None:
    entries = atlas.entries()
    text = convatlas("list").out
    records = json.loads(convatlas("list", "--json").out)
    sheet = list(csv.DictReader(io.StringIO(convatlas("list", "--csv").out)))
    assert [r["network"] for r in records] == [r["network"] for r in sheet]
    for entry, record in zip(entries, records, strict=True):
        assert record["parameters"] == entry.parameters
        assert record["source"] == entry.paper
        assert f"{entry.parameters:,}" in text
    assert convatlas("list", "--md").out.count("\n") == len(entries) + 2
    assert "\\begin{longtable}{lllrrlll}" in convatlas("list", "--latex").out
    assert "redrawn after Figure 3" in convatlas("list", "--departures").out


def test_train_eval_predict_report(convatlas: Run, pictures: Path, tmp_path: Path) -> None:
    data = f"folder:{pictures}"
    trained = convatlas(
        *("train", "lenet-relu", "--data", data, "--epochs", 2, "--batch", 16, "--lr", "0.05"),
        *("--out", "run"),
    )
    assert trained.status == 0, trained.err
    for word in ("validation", "test", "% wrong", "confusions", "training", "report"):
        assert word in trained.out
    assert "epoch   2" in trained.err
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000

    table = convatlas("eval", "run")
    assert table.status == 0
    assert "opened 2 times so far" in table.out
    records = json.loads(convatlas("eval", "run", "--part", "validation", "--json").out)
    assert [r["class"] for r in records] == ["left", "right", "top"]

    picture = pictures / "top" / "00.png"
    predicted = convatlas("predict", "run", picture, "--top", 1)
    assert "top " in predicted.out.split("  ")[1]
    both = convatlas("predict", "run", picture, tmp_path / "none.png", "--json")
    assert both.status == 2
    records = json.loads(both.out)
    assert records[0]["guesses"][0]["class"] == "top"
    assert records[1]["error"]

    (tmp_path / "run" / "report.html").unlink()
    assert convatlas("report", "run").out.strip() == "run/report.html"
    assert (tmp_path / "run" / "report.html").exists()


def test_seeds_give_a_mean_and_a_folder_each(
    convatlas: Run, pictures: Path, tmp_path: Path
) -> None:
    series = convatlas(
        *("train", "lenet-relu", "--data", f"folder:{pictures}", "--epochs", 1, "--batch", 16),
        *("--seeds", 2, "--seed", 5, "--out", "series", "--json"),
    )
    assert series.status == 0, series.err
    summary = json.loads(series.out)
    assert [run["seed"] for run in summary["runs"]] == [5, 6]
    errors = [run["test_error"] for run in summary["runs"]]
    assert summary["test_error_mean"] == pytest.approx(sum(errors) / 2)
    assert json.loads((tmp_path / "series" / "summary.json").read_text()) == summary
    assert (tmp_path / "series" / "seed-6" / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "lenet6"], "error: unknown network 'lenet6'; did you mean 'lenet5'"),
        (["train", "lenet5", "--data", "mnits"], "did you mean 'mnist'"),
        (["train", "lenet5", "--recipe", "sprintt"], "did you mean 'sprint'"),
        (["train", "lenet5", "--size", "14"], "has pictures of 28 x 28, not 14 x 14"),
        (
            ["train", "lenet5", "--epochs", "0"],
            "error: the recipe 'lenet5' with epochs 0: Expected",
        ),
        (["train", "lenet5", "--data", "folder:nowhere"], "error: "),
        (["train", "lenet-bn", "--device", "tpu"], "error: no device 'tpu'"),
        (["eval", "nowhere"], "error: there is no run folder nowhere"),
        (["predict", "nowhere", "x.png"], "error: there is no run folder nowhere"),
        (["resume", "nowhere"], "error: nothing to resume"),
        (["report", "nowhere"], "error: there is no run folder nowhere"),
        (["nonsense"], "No such command"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, convatlas: Run, tmp_path: Path
) -> None:
    ran = convatlas(*arguments)
    assert ran.status == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    if message.startswith("error"):
        assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_selecting_on_the_test_set_is_said_in_the_terminal(convatlas: Run, pictures: Path) -> None:
    ran = convatlas(
        *("train", "lenet-relu", "--data", f"folder:{pictures}", "--epochs", 1, "--batch", 16),
        *("--select-on-test", "--out", "run"),
    )
    assert ran.status == 0, ran.err
    assert "choices made on the TEST set" in ran.err
    assert "test error" in ran.err
    assert "validation" not in ran.err + ran.out
    assert "warning     choices were made on the test set" in ran.out


def test_names_with_markup_are_printed_as_they_are(
    convatlas: Run, pictures: Path, tmp_path: Path
) -> None:
    data = shutil.copytree(pictures, tmp_path / "x[/y]:cat:")
    ran = convatlas(
        "train", "lenet-relu", "--data", f"folder:{data}", "--epochs", 1, "--out", "run"
    )
    assert ran.status == 0, ran.err
    assert "x[/y]:cat:: " in ran.err
