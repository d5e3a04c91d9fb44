import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from convatlas.cli import cli
from convatlas.errors import UserError

LENET = """\
lenet5 at 1×1×20×20
lenet5 takes squares of 32 to 35

error  c5: conv 5×5, 16 → 120 is given 2×2, nothing would be left: a window of 5 does not fit \
into 2; it needs at least 5
  mend by  an input of 1×32×32 to 1×35×35
  mend by  padding=2 in c5: then only f6 is in the way, which takes 120 values and gets 480
  mend by  kernel_size=2 in c5: then all layers pass
"""
ALEXNET = """\
alexnet-28 at 1×1×28×28
alexnet-28 takes squares of 23 to 30

warning  7% of what is computed there is never read: convolutional.norm1 (read by \
convolutional.pool1)
  mend by  rounding up (ceil_mode=True) in convolutional.pool1

warning  31% of what is computed there is never read: convolutional.relu5 (read by \
convolutional.pool5)
  mend by  rounding up (ceil_mode=True) in convolutional.pool5

note  from convolutional.conv4 on a position sees more than the picture: 35×35 of 28×28, \
the rest is padding
"""


def run(*arguments: str) -> Result:
    ran = CliRunner().invoke(cli, ["doctor", *arguments])
    if isinstance(ran.exception, Exception):
        raise ran.exception
    return ran


def test_an_input_that_is_not_taken_line_for_line() -> None:
    ran = run("lenet5", "--input", "20")
    assert (ran.exit_code, ran.output) == (1, LENET)


def test_warnings_line_for_line() -> None:
    ran = run("alexnet-28")
    assert (ran.exit_code, ran.output) == (0, ALEXNET)


def test_forms_and_own_networks(nets: Callable[[str], str]) -> None:
    document = json.loads(run("lenet5", "--input", "20", "--json").output)
    assert [finding["what"] for finding in document["findings"]] == ["collapse"]
    ran = run(nets("sequence"), "--input", "1x2x2")
    assert ran.exit_code == 1
    assert ran.output.startswith(f"{nets('sequence')} at 1×1×2×2\n")
    assert run(nets("line"), "--input", "2x3").exit_code == 1
    assert run("lenet-bn", "--training").exit_code == 1
    assert run("lenet-bn", "--training", "--batch", "2").exit_code == 0


def test_a_branch_on_values_is_said(nets: Callable[[str], str]) -> None:
    ran = run(nets("Branching"), "--input", "3x8x8")
    assert ran.output.splitlines()[-1].startswith("for one drawn picture")
    assert json.loads(run(nets("Branching"), "--input", "3x8x8", "--json").output)["notes"][1:]


def test_layers_that_do_not_fit(nets: Callable[[str], str]) -> None:
    ran = run(nets("Unfitting"), "--input", "3x8x8")
    assert ran.exit_code == 1
    assert ran.output.splitlines()[3:] == [
        "error  1: takes 32 channels, but 16 come from 0",
        "  mend by  in_channels=16 in 1",
        "  mend by  out_channels=32 in 0",
    ]


def test_mistakes(nets: Callable[[str], str]) -> None:
    with pytest.raises(UserError, match="takes 1 channels"):
        run("lenet5", "--input", "3x32x32")
    with pytest.raises(UserError, match="does not say what it takes"):
        run(nets("Net"))
