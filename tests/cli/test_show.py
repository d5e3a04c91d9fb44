"""``convatlas show``, line for line for two small networks."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from convatlas.cli import cli
from convatlas.errors import UserError

LENET = """\
lenet5, input 1×32×32, batch 1

layer      operation                   output    parameters     MACs   bytes  field  jump
           input                       1×32×32            0        0   4,096  1      1
c1         conv 5×5, 1 → 6             6×28×28          156  117,600  18,816  5      1
c1_squash  scaled tanh                 6×28×28            0        0  18,816  5      1
s2         sub-sampling 2×2            6×14×14           12    1,176   4,704  6      2
s2_squash  scaled tanh                 6×14×14            0        0   4,704  6      2
c3         conv 5×5, 6 → 16, 60 links  16×10×10       1,516  150,000   6,400  14     2
c3_squash  scaled tanh                 16×10×10           0        0   6,400  14     2
s4         sub-sampling 2×2            16×5×5            32      400   1,600  16     4
s4_squash  scaled tanh                 16×5×5             0        0   1,600  16     4
c5         conv 5×5, 16 → 120          120×1×1       48,120   48,000     480  32     4
c5_squash  scaled tanh                 120×1×1            0        0     480  32     4
           flatten                     120                0        0       0  all
f6         dense 120 → 84              84            10,164   10,080     336  all
f6_squash  scaled tanh                 84                 0        0     336  all
output     radial basis 84 → 10        10                 0      840      40  all
total                                                60,000  328,096  68,808

weights      244 kB, buffers included
activations  68.8 kB made, 37.6 kB at once at the most (in c1_squash)
training     805 kB at once at the most, batch 1, SGD with momentum (backward in s4)

MAC = one multiply-add of a convolution, dense layer or matrix product, biases not counted. \
A shared tensor counts once. Memory is what each operation allocates.
"""
STAGES = """\
map    channels  operations  parameters        MACs      bytes  % parameters  % MACs  % bytes
32×32        16          24      14,480  14,598,144  1,572,864  5.4%          36.0%   59.3%
16×16        32          22      51,072  12,976,128    720,896  18.9%         32.0%   27.2%
8×8          64          22     203,520  12,976,128    360,448  75.5%         32.0%   13.6%
none         10           2         650         640        296  0.2%          0.0%    0.0%
"""


def run(*arguments: str) -> Result:
    """The command as it ends, an error raised but for the user's own mistakes."""
    ran = CliRunner().invoke(cli, ["show", *arguments])
    if isinstance(ran.exception, Exception) and not isinstance(ran.exception, UserError):
        raise ran.exception
    return ran


def test_a_table_line_for_line() -> None:
    assert run("lenet5").output == LENET


def test_stages_line_for_line() -> None:
    """MACs by hand: 3·3·16·16·32·32 = 2,359,296 for each 3x3 but two, which read half the maps.

    442,368 + 6·2,359,296 = 14,598,144 and 5.5·2,359,296 = 12,976,128 twice.
    """
    lines = run("resnet20-cifar", "--stages").output.splitlines()
    assert lines[2:7] == STAGES.splitlines()


def test_folded_blocks_and_all_of_them() -> None:
    folded = run("resnet20-cifar").output
    assert "stage1.block1 … block3" in folded
    assert "×3" in folded
    every = run("resnet20-cifar", "--all").output
    assert "stage1.block2.branch.conv1" in every
    assert "times" not in every
    assert folded.splitlines()[-7].split() == every.splitlines()[-7].split()


def test_formulas_and_depth() -> None:
    assert (
        "size ⌊(32 − 5)/1⌋ + 1 = 28; parameters 5·5·1·6 + 6 = 156"
        in run("lenet5", "--formula").output
    )
    assert "31 operations" in run("vgg16", "--depth", "1").output


def test_forms() -> None:
    rows = list(csv.DictReader(io.StringIO(run("lenet5", "--csv").output)))
    assert len(rows) == 16
    document = json.loads(run("lenet5", "--json").output)
    assert (document["parameters"], document["macs"]) == (60_000, 328_096)
    assert run("lenet5", "--latex").output.startswith(r"\begin{tabular}{lllrrrll}")
    assert run("lenet5", "--md").output.startswith("| layer | operation |")
    assert run("lenet5", "--html").output.startswith("<table>")


def test_own_networks(nets: Callable[[str], str]) -> None:
    for name in ("Net", "instance", "factory"):
        output = run(nets(name), "--input", "3x8x8").output
        # 3·3·3·8 + 8 + 2·8 parameters, 6·6·216 multiply-adds
        assert "total" in output
        assert output.splitlines()[-7].split() == ["total", "240", "7,776", "4,224"]
    output = run(nets("Two"), "--input", "3x8x8", "--input", "3x8x8").output
    assert output.startswith(f"{nets('Two')}, input 3×8×8, 3×8×8, batch 1\n")
    assert "99997×99997" in run(nets("Net"), "--input", "3x99999x99999").output


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("Net", (), "does not say what it takes; give its input, like 3x224x224"),
        ("Nett", ("--input", "3x8x8"), "has no 'Nett'; did you mean 'Net'"),
        ("Needs", ("--input", "3x8x8"), r"needs arguments \(width, kernel\)"),
        ("number", ("--input", "3x8x8"), "is no network: expected an nn.Module, .* found int"),
        ("gone", ("--input", "3x8x8"), r"fails with KeyError: 'gone' \(.*good.py, line \d+\)"),
        ("Net", ("--input", "0x0"), "'0x0' is no input size"),
        ("Net", ("--input", "8"), "takes 3 channels"),
        ("Net", ("--input", "1x8x8"), "takes 3 channels .* given 1×1×8×8"),
        ("Net", ("--input", "3x2x2"), "try an input of 3×3×3 or more"),
        ("Net", ("--input", "3x8x8", "--input", "3x8x8"), "but 3 were given"),
        ("Two", ("--input", "3x8x8"), "missing 1 required positional argument: 'b'"),
        ("Bug", ("--input", "3x8x8"), "raises AttributeError"),
        ("View", ("--input", "3x9x9"), "try an input of 3×8×8"),
    ],
)
def test_mistakes(
    nets: Callable[[str], str], name: str, arguments: tuple[str, ...], says: str
) -> None:
    ran = run(nets(name), *arguments)
    assert isinstance(ran.exception, UserError)
    with pytest.raises(UserError, match=says):
        raise ran.exception
    assert "\n" not in str(ran.exception)


def test_a_network_that_fails_in_the_middle_is_shown_up_to_there(
    nets: Callable[[str], str],
) -> None:
    ran = run(nets("sequence"), "--input", "1x10x10")
    lines = ran.output.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["layer", "input", "0", "1", "2"]
    assert isinstance(ran.exception, UserError)
    assert "total" not in ran.output
    ran = run(nets("sequence"), "--input", "1x10x10", "--json")
    document = json.loads(ran.output)
    assert document["error"] == str(ran.exception)
    assert [layer["layer"] for layer in document["layers"]] == ["", "0", "1", "2"]


def test_a_branch_on_values_is_taken_for_one_drawn_picture(nets: Callable[[str], str]) -> None:
    lines = run(nets("Branching"), "--input", "3x8x8").output.splitlines()
    assert lines[-3].endswith('"return torch.relu(x) if x.mean() > 0 else x"): captured as taken')
    assert lines[-2] == "for one drawn picture (normal values, seed 0); another may go another way"


def test_a_batch_of_none() -> None:
    ran = CliRunner().invoke(cli, ["show", "lenet5", "--batch", "0"])
    assert ran.exit_code == 2
    assert "0 is not in the range x>=1" in ran.output
