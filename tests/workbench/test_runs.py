import json
from pathlib import Path

import pytest

from convatlas import Recipe, UserError
from convatlas.training.loop import Silent
from convatlas.workbench import runs

RECIPE = Recipe(name="short", epochs=1, batch=16, lr=0.05)
NO_REPORT = runs.Options(report=False)


class StopAfter(Silent):
    """Wants to stop once it was asked that many times."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def wants_stop(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_series_stops_with_the_run_that_was_stopped(pictures: Path, tmp_path: Path) -> None:
    result = runs.train_seeds(
        "lenet-relu",
        f"folder:{pictures}",
        seeds=[3, 4, 5],
        recipe=RECIPE,
        out=tmp_path / "series",
        options=NO_REPORT,
        watcher=StopAfter(7),  # in the second run
    )
    assert [run.card.status for run in result.runs] == ["finished", "interrupted"]
    assert result.test_error is not None
    assert result.runs[0].test is not None
    assert result.test_error.mean == result.runs[0].test.error
    summary = json.loads((tmp_path / "series" / "summary.json").read_text())
    assert [run["status"] for run in summary["runs"]] == ["finished", "interrupted"]


def test_a_series_without_a_finished_run_has_no_mean(pictures: Path, tmp_path: Path) -> None:
    result = runs.train_seeds(
        "lenet-relu",
        f"folder:{pictures}",
        seeds=[3, 4],
        recipe=RECIPE,
        out=tmp_path / "series",
        options=NO_REPORT,
        watcher=StopAfter(2),
    )
    assert result.test_error is None
    assert len(result.runs) == 1


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_must_differ(seeds: list[int], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give different seeds"):
        runs.train_seeds("lenet-relu", seeds=seeds, out=tmp_path / "series")
    assert list(tmp_path.iterdir()) == []


def test_a_series_of_bad_input_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown network"):
        runs.train_seeds("lenet6", seeds=[1, 2], out=tmp_path / "deep" / "series")
    assert list(tmp_path.iterdir()) == []


def test_evaluating_the_test_part_draws_the_report_again(pictures: Path, tmp_path: Path) -> None:
    run = runs.train("lenet-relu", f"folder:{pictures}", recipe=RECIPE, out=tmp_path / "run").folder
    assert "was opened once" in run.report.read_text()
    runs.evaluate(run.path)
    assert "was opened twice" in run.report.read_text()
