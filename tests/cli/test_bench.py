import json
from collections.abc import Callable
from functools import partial

import pytest
from click.testing import CliRunner

from convatlas.cli.bench import command
from convatlas.errors import UserError
from convatlas.runtime import measure


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "Effort", partial(measure.Effort, block=0.01))


def test_a_row_for_each_engine_and_batch() -> None:
    arguments = ["lenet-bn", "--batch", "1,4", "--engines", "eager,onnxruntime", "--threads", "1"]
    ran = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    rows = json.loads(ran.output)
    assert sorted((row["batch"], row["engine"]) for row in rows) == [
        *((1, "eager"), (1, "onnxruntime"), (4, "eager"), (4, "onnxruntime")),
    ]
    for row in rows:
        assert 0 < row["least"] <= row["ms"] <= row["most"]
        assert row["% of peak"] >= 0
        assert row["x eager"] == 1 or row["engine"] != "eager"


def test_a_network_of_ones_own(nets: Callable[[str], str]) -> None:
    arguments = [nets("sequence"), "--input", "1x8x8", "--engines", "eager,onnxruntime", "--json"]
    ran = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert {row["engine"] for row in json.loads(ran.output)} == {"eager", "onnxruntime"}
    with pytest.raises(UserError, match="does not say what it takes; give --input"):
        CliRunner().invoke(command, [nets("sequence")], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--batch", "one"], "takes numbers"), (["--batch", "0"], "from 1, given")],
)
def test_mistakes_are_named(arguments: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        CliRunner().invoke(command, ["lenet-bn", *arguments], catch_exceptions=False)
