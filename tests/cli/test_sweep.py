import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from convatlas.cli import cli
from convatlas.errors import UserError

TEXT = """\
side  batch     MACs  bytes made  bytes at once  bytes to train  last map  output  not taken because
  32      1  328,096      68,808         37,632         805,464  16×5×5    10
  35      1  386,320      82,188         46,128         820,884  16×5×5    10
  36      1                                                                        lenet5 cannot \
take 1×1×36×36: f6 (Dense) takes 120 values, given 480 (1×480); set its in_features to 480

lenet5 takes squares of 32 to 35
"""


def run(*arguments: str) -> str:
    ran = CliRunner().invoke(cli, ["sweep", *arguments])
    if ran.exception:
        raise ran.exception
    return ran.output


def test_lenet_line_for_line() -> None:
    """At 35: 31·31·150 + 15·15·6 + 11·11·1500 + 5·5·16 + 48,000 + 10,080 + 840 = 386,320."""
    assert run("lenet5", "--sides", "32,35,36") == TEXT


def test_forms_and_own_networks(nets: Callable[[str], str]) -> None:
    records = json.loads(run("resnet18", "--sides", "32..96:32", "--batch", "1,2", "--json"))
    assert [(one["side"], one["batch"]) for one in records] == [
        *((32, 1), (32, 2), (64, 1), (64, 2), (96, 1), (96, 2))
    ]
    assert f"{nets('Net')} takes squares of 3 and more" in run(
        *(nets("Net"), "--input", "3x8x8", "--sides", "8")
    )


def test_mistakes(nets: Callable[[str], str]) -> None:
    with pytest.raises(UserError, match="--sides 'small' is no range"):
        run("resnet18", "--sides", "small")
    with pytest.raises(UserError, match="--batch '0' is no range"):
        run("resnet18", "--batch", "0")
    with pytest.raises(UserError, match="does not say what it takes"):
        run(nets("Net"))
