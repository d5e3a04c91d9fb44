"""A number of threads that no machine has: refused by every command, before anything is started."""

import re

import pytest
from click.testing import CliRunner

from convatlas.cli import COMMANDS, cli
from convatlas.errors import UserError
from convatlas.runtime.threads import TIMES, processors

TAKING = {"predict": ("b.convatlas", "x.png"), "serve": ("b.convatlas",), "bench": ("lenet-bn",)}
BOUND = {"predict": TIMES, "serve": TIMES, "bench": 1}


def test_these_commands_take_it() -> None:
    context = cli.make_context("convatlas", ["list"])
    made = {name: cli.get_command(context, name) for name in COMMANDS}
    taking = {n for n, c in made.items() if c and any(p.name == "threads" for p in c.params)}
    assert taking == set(TAKING)


@pytest.mark.parametrize("name", TAKING)
@pytest.mark.parametrize("engine", ["", "eager"])
def test_too_many_are_refused_in_one_line(name: str, engine: str) -> None:
    options = ["--engine", engine] if engine and name != "bench" else []
    given = [name, *TAKING[name], *options, "--threads", "20000"]
    most = BOUND[name] * processors()
    with pytest.raises(UserError, match=f"on {processors()} processors?; give {most} at most$"):
        CliRunner().invoke(cli, given, catch_exceptions=False)


@pytest.mark.parametrize("name", TAKING)
def test_help_says_the_bound(name: str) -> None:
    said = " ".join(CliRunner().invoke(cli, [name, "--help"]).output.split())
    bound = "as many as there are processors" if BOUND[name] == 1 else "4 times the processors"
    assert re.search(rf"--threads INTEGER RANGE .*?; at most {bound}\.", said)
