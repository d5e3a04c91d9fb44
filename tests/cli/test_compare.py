import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from convatlas.cli import cli
from convatlas.errors import UserError

TEXT = """\
network  input      layers  parameters         MACs  weight bytes  bytes made  bytes at once  \
field  × parameters  × MACs  × bytes at once
lenet5   1×32×32         5      60,000      328,096       244,320      68,808         37,632  \
   32           1.0     1.0              1.0
alexnet  3×224×224       8  60,965,224  724,406,816   243,860,896  10,178,336      2,323,200  \
  195         1,016   2,208            61.73

Ratios are to lenet5. MAC = one multiply-add of a convolution, dense layer or matrix product, \
biases not counted. A shared tensor counts once.
"""


def run(*arguments: str) -> str:
    ran = CliRunner().invoke(cli, ["compare", *arguments])
    if ran.exception:
        raise ran.exception
    return ran.output


def test_lenet_and_alexnet_line_for_line() -> None:
    assert run("lenet5", "alexnet") == TEXT


def test_forms_and_pictures(tmp_path: Path) -> None:
    picture = tmp_path / "both.svg"
    output = run("lenet5", "alexnet", "--picture", str(picture))
    assert output == f"{TEXT}picture  {picture}\n"
    assert picture.read_bytes().startswith(b"<?xml")
    records = json.loads(run("lenet5", "alexnet", "--json", "--picture", str(picture)))
    assert records[1]["× MACs"] == 2208


def test_mistakes() -> None:
    with pytest.raises(UserError, match="unknown network 'lenet6'"):
        run("lenet5", "lenet6")
    with pytest.raises(UserError, match="takes 1 channels"):
        run("lenet5", "--input", "3x32x32")
    assert CliRunner().invoke(cli, ["compare"]).exit_code == 2
