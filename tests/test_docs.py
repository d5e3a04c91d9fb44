"""What the documentation says can be typed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from convatlas.cli import cli
from convatlas.training.recipe import read_toml

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """(page and number, text) of each fenced block in a language."""
    for page in PAGES:
        found = re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        yield from ((f"{page.name} {number}", text) for number, text in enumerate(found))


COMMANDS = [
    (place, line.removeprefix("$ "))
    for place, text in blocks("console")
    for line in text.splitlines()
    if line.startswith("$ convatlas ")
]


@pytest.mark.parametrize(("place", "command"), COMMANDS)
def test_every_command_line_can_be_parsed(place: str, command: str) -> None:
    name, *arguments = shlex.split(command)[1:]
    found = cli.get_command(cli.make_context("convatlas", [name, *arguments]), name)
    assert found is not None, place
    found.make_context(name, arguments)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "code"), list(blocks("python")))
def test_every_python_block_runs(
    place: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, place, "exec"), {})


@pytest.mark.parametrize(("place", "text"), list(blocks("toml")))
def test_every_recipe_can_be_read(place: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    read_toml(path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_both_readmes_have_the_same_commands() -> None:
    both = [
        re.findall(r"```(?:console|python)\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert both[0] == both[1]
