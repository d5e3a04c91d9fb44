"""What ``convatlas conv`` prints, line for line where the figures are."""

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from convatlas.cli import cli
from convatlas.cli.demos import DEMOS
from convatlas.errors import UserError


def conv(line: str) -> str:
    """The output of the command, errors raised."""
    ran = CliRunner().invoke(cli, ["conv", *line.split()])
    if isinstance(ran.exception, UserError):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return ran.output


def facts(text: str) -> dict[str, str]:
    """The lines of two columns."""
    pairs = (line.strip().split("  ", 1) for line in text.split("\n") if line.startswith("  "))
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def test_a_layer_with_everything_about_it() -> None:
    text = conv("3x64x64 --out 4 --kernel 3 --padding same")
    assert text.startswith("convolution 3x3, padding same, 3 → 4 channels\n")
    assert facts(text) == {
        "input": "3x64x64",
        "output": "4x64x64",
        "parameters": "108 + 4 = 112",
        "MACs": "3·3·3·4·64·64 = 442,368",
        "effective kernel": "3x3",
        "receptive field": "3x3",
        "lost pixels": "none, every pixel is read",
        "padding": "⌈64/1⌉ = 64 outputs: (64 − 1)·1 + 3 − 64 = 2, 1 before, 1 after",
        "height, width": "⌊(64 + 2·1 − 3)/1⌋ + 1 = 64",
        "weights": "3·3·3·4 = 108",
    }
    assert "  parameters        112 = 108 weights + 4 biases\n" in text
    assert "input 64x64 " in text


@pytest.mark.parametrize(
    ("line", "what", "says"),
    [
        ("1x5x5 --out 1 --kernel 3 --padding valid", "output", "1x3x3"),
        ("1x5x5 --out 1 --kernel 3 --stride 2 --padding same", "output", "1x3x3"),
        (
            "1x5x5 --out 1 --kernel 3 --stride 2 --padding same",
            "note",
            "same with a stride is TensorFlow's rule; torch refuses it",
        ),
        (
            "1x8x8 --out 1 --kernel 3 --stride 2",
            "lost pixels",
            "row 7 and column 7 never read: 15 of 64 pixels (counted from 0)",
        ),
        ("1x9x9 --out 1 --kernel 3 --dilation 2", "effective kernel", "5x5"),
        ("1x9x9 --out 1 --kernel 3 --dilation 2", "span", "2·(3 − 1) + 1 = 5"),
        ("3x10x10 --out 30 --kernel 10 --groups 3", "weights", "10·10·(3/3)·30 = 3,000"),
        ("4x9x9 --out 2 --kernel 3x5 --stride 1x2", "output", "2x7x3"),
        ("3x8x8 --out 4 --kernel 3 --no-bias", "parameters", "108"),
        ("8x16x16 --out 4 --kernel 4 --stride 2 --padding 1 --transposed", "output", "4x32x32"),
        (
            "8x16x16 --out 4 --kernel 4 --stride 2 --padding 1 --transposed",
            "MACs",
            "4·4·8·4·16·16 = 131,072",
        ),
        (
            "8x16x16 --out 4 --kernel 3 --stride 2 --padding 1 --output-padding 1 --transposed",
            "height, width",
            "(16 − 1)·2 − 2·1 + 3 + 1 = 32",
        ),
        (
            "8x16x16 --out 4 --kernel 3 --stride 2 --transposed",
            "note",
            "checkerboard: inside the map an output is painted by 1, 2 or 4 inputs",
        ),
        ("64x112x112 --pool max --kernel 3 --stride 2", "output", "64x55x55"),
        ("64x112x112 --pool max --kernel 3 --stride 2 --ceil", "output", "64x56x56"),
        ("64x7x7 --pool avg --kernel 2", "height, width", "⌊(7 + 2·0 − 2)/2⌋ + 1 = 3"),
    ],
)
def test_figures(line: str, what: str, says: str) -> None:
    assert facts(conv(line))[what] == says


def test_a_separable_layer_is_two_and_their_sum() -> None:
    line = "3x10x10 --out 30 --kernel 10 --padding same --separable"
    assert (
        conv(line)
        .rstrip()
        .endswith("together   3x10x10  30x10x10      390      33         423  39,000")
    )
    records = json.loads(conv(f"{line} --json"))
    assert [record["parameters"] for record in records] == [303, 120, 423]
    assert records[2]["working"] == "parameters: 303 + 120 = 423"


def test_six_layers_side_by_side() -> None:
    line = "3x10x10 --out 30 --kernel 10 --compare"
    text = conv(line)
    for figure in ("903,000", "9,030", "3,030", "120", "423", "300·3,000 + 3,000"):
        assert figure in text
    sheet = list(csv.DictReader(io.StringIO(conv(f"{line} --csv"))))
    assert [int(row["parameters"]) for row in sheet] == [903_000, 9_030, 9_030, 3_030, 120, 423]
    assert {row["output"] for row in sheet} == {"30x10x10"}


@pytest.mark.parametrize("form", ["json", "csv", "md", "latex"])
@pytest.mark.parametrize(
    "line",
    [
        "3x8x8 --out 4 --kernel 3",
        "3x8x8 --out 4 --kernel 3 --transposed",
        "3x8x8 --pool max --kernel 2",
        "3x8x8 --out 4 --kernel 3 --compare",
        *(f"--demo {name}" for name in DEMOS),
    ],
)
def test_every_form_of_every_table(line: str, form: str) -> None:
    out = conv(f"{line} --{form}")
    if form == "json":
        assert json.loads(out)
    assert "lost pixels" not in out
    assert "→   " not in out  # no drawing


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "no input is given"),
        ("3x64 --out 4 --kernel 3", "'3x64' is no input; write channels x height x width"),
        ("3x64xa --out 4 --kernel 3", "is no input"),
        ("0x8x8 --out 4 --kernel 3", "needs channels and sides from 1"),
        ("3x8x99999 --out 4 --kernel 3", "from 1 to 9999"),
        ("3x8x8 --kernel 3", "add --out"),
        ("3x8x8 --out 4", "add --kernel"),
        ("3x8x8 --out 4 --kernel k", "'k' is no size"),
        ("3x8x8 --out 0 --kernel 3", "output channels is 0"),
        ("3x8x8 --out 4 --kernel 3 --groups 0", "groups is 0"),
        ("3x8x8 --out 4 --kernel 9", "height 8: a kernel of 9 is larger"),
        ("3x8x8 --out 4 --kernel 3 --groups 3", "3 groups do not divide the 4 output channels"),
        ("3x8x8 --out 4 --kernel 3 --padding half", "valid or same; given 'half'"),
        ("3x8x8 --out 4 --kernel 3 --padding -1", "given '-1'"),
        ("3x8x8 --out 4 --kernel 3 --ceil", "--ceil does not go with a plain convolution"),
        ("3x8x8 --pool max --kernel 2 --out 0", "--out does not go with --pool"),
        ("3x8x8 --out 4 --kernel 3 --separable --groups 3", "--groups does not go with --separ"),
        ("3x8x8 --out 4 --kernel 3 --pool max --compare", "--pool and --compare do not go tog"),
        ("3x8x8 --demo pooling", "--demo has its own input"),
        ("3x8x8 --out 4 --kernel 3 --transposed --padding same", "takes padding as a number"),
    ],
)
def test_what_is_no_layer_is_said(line: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        conv(line)


@pytest.mark.parametrize(
    "arguments", [["conv", "3x8x8", "--out", "4", "--kernel", "3"], ["field", "3d2 3d2"]]
)
def test_neither_imports_torch_nor_numpy(arguments: list[str]) -> None:
    program = (
        "import json, sys; from convatlas.cli import cli; "
        f"cli.main({arguments!r}, standalone_mode=False); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    modules = set(json.loads(ran.stdout.split("\n")[-2]))
    assert "convatlas.arithmetic.size" in modules
    assert not modules & {"torch", "numpy", "matplotlib", "rich"}


def test_the_page_shows_what_is_printed() -> None:
    page = Path(__file__).parents[2] / "docs" / "arithmetic.md"
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    shown = [block.partition("\n") for block in blocks]
    outputs = [(line, text) for line, _, text in shown if text and not text.startswith("$ ")]
    assert len(outputs) == 3
    for line, text in outputs:
        printed = CliRunner().invoke(cli, shlex.split(line)[2:]).output
        assert printed.startswith(text), line
