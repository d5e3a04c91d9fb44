import runpy
import sys
from pathlib import Path

import pytest

from convatlas.claims.ledger import papers
from convatlas.claims.pages import pages

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["papers.md", "errata.md"])
def test_the_page_is_up_to_date(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == pages()[name], "run `python -m convatlas.claims`"


def test_every_paper_and_figure_is_on_the_page() -> None:
    text = pages()["papers.md"]
    for paper in papers():
        assert f"## {paper.title}\n" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and " --- " not in line]
    counts, heads = 7, len(papers())
    assert len(rows) == sum(len(paper.claims) for paper in papers()) + counts + heads


def test_the_notes_are_judged() -> None:
    text = pages()["errata.md"]
    wrong, rest = text.split("## Imprecise")
    assert "1,016 times LeNet-5's 60,000" in wrong
    assert "the mean of each 7×7 map" in wrong
    assert "| 903,000 |" in rest


def test_the_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["claims", str(tmp_path)])
    runpy.run_module("convatlas.claims", run_name="__main__")
    assert {path.name for path in tmp_path.iterdir()} == {"papers.md", "errata.md"}
