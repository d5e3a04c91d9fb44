"""The rows of a table: whatever is folded or summed, rows times their number are the totals."""

import pytest
from torch import nn

from convatlas import atlas
from convatlas.analysis.cost import Cost, cost
from convatlas.analysis.layers import Row, rows
from convatlas.capture.capture import capture


def totals(table: tuple[Row, ...]) -> tuple[int, int, int, int]:
    """Parameters, MACs, work and bytes of all rows, each as often as it occurs."""
    return (
        sum(row.times * row.parameters for row in table),
        sum(row.times * (row.macs or 0) for row in table),
        sum(row.times * row.work for row in table),
        sum(row.times * row.bytes for row in table),
    )


def expected(found: Cost) -> tuple[int, int, int, int]:
    unused = sum(parameter.size for parameter in found.graph.unused)
    live, made = found.live, found.made
    return found.parameters - unused, found.macs, made.work, live.total


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_rows_add_up_to_the_totals_folded_or_not_at_every_depth(name: str) -> None:
    found = cost(atlas.graph(name))
    fillers = sum(line.bytes for line in found.lines if not line.parameters and not line.reads)
    inputs = sum(line.bytes for line in found.lines if "Input" in str(line.node.operation))
    parameters, macs, work, made = expected(found)
    for depth in (None, 1, 2, 3, 4, 9):
        for fold in (False, True):
            table = rows(found.lines, depth=depth, fold=fold)
            shown = totals(table)
            assert shown[:3] == (parameters, macs, work), (depth, fold)
            # a constant that the network fills in, such as zeros for a shortcut, has no row
            assert made - (fillers - inputs) <= shown[3] <= made, (depth, fold)


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries() if entry.heads])
def test_heads_in_training_too(name: str) -> None:
    found = cost(atlas.graph(name, training=True))
    for depth in (None, 1, 2):
        assert totals(rows(found.lines, depth=depth))[:3] == expected(found)[:3]


def test_folding_is_told_once_with_its_number() -> None:
    table = rows(cost(atlas.graph("resnet20-cifar")).lines)
    heading = next(row for row in table if row.times == 3)
    assert heading.name == "stage1.block1 … block3"
    assert heading.operation == ""
    inside = [row for row in table if row.times == 3 and row.operation]
    assert [row.name for row in inside][:2] == ["branch.conv1", "branch.norm1"]
    assert all(row.indent == 1 for row in inside)
    # the field is the last block's: 3 of the stem, and two 3x3 a block make 3 + 3·4 = 15
    assert inside[-1].field == "15"


def test_equal_layers_one_after_another_are_one_row() -> None:
    module = nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1) for _ in range(5)), nn.ReLU())
    table = rows(cost(capture(module, (1, 8, 6, 6))).lines)
    # 8·8·9 + 8 = 584 parameters each
    assert [(row.name, row.times, row.parameters) for row in table] == [
        ("", 1, 0),
        ("0 … 4", 5, 584),
        ("5", 1, 0),
    ]


def test_layers_of_other_costs_are_not_folded() -> None:
    """The same operations making the same sizes, but one pair of weights is shared."""
    module = nn.Sequential(*(nn.Conv2d(8, 8, 1) for _ in range(3)))
    module[2].weight, module[2].bias = module[0].weight, module[0].bias
    table = rows(cost(capture(module, (1, 8, 6, 6))).lines)
    assert [(row.name, row.times, row.parameters) for row in table] == [
        ("", 1, 0),
        ("0 … 1", 2, 72),
        ("2", 1, 0),
    ]


def test_depth_sums_modules() -> None:
    table = rows(cost(atlas.graph("vgg16"), ((1, 3, 224, 224),)).lines, depth=1)
    # Simonyan & Zisserman: 138 M, of which 14,714,688 in convolutions and 123,642,856 in the rest
    assert [(row.name, row.operation, row.parameters) for row in table[1:]] == [
        ("convolutional", "31 operations", 14_714_688),
        ("dense", "8 operations", 123_642_856),
    ]
