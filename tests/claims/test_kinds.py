"""Every kind of measure, against a figure worked out here by hand."""

from typing import Any

import pytest

from convatlas.claims.kinds import KINDS, read_measure
from convatlas.claims.measure import Bench, Value
from convatlas.errors import UserError

BENCH = Bench()
AUX = 512 * 128 + 128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000
RESNET_50_ROWS = (3, 4, 6, 3)

CASES: list[tuple[dict[str, Any], Value]] = [
    ({"parameters": "lenet5"}, 156 + 12 + 1516 + 32 + 48_120 + 10_164),
    ({"parameters": "googlenet", "at": "auxiliary_4a"}, AUX),
    ({"parameters": "vgg16", "at": "dense.fc3", "kinds": ["Dense"]}, 4097 * 1000),
    ({"weights": "vgg16", "at": ["dense.fc2", "dense.fc3"]}, 4096 * 5096),
    ({"macs": "lenet-caffe", "at": "stage1"}, 25 * 20 * 24 * 24),
    ({"macs": "vgg16-bn", "at": "convolutional.row1.0", "size": "448"}, 27 * 64 * 448**2),
    ({"connections": "lenet5", "at": "c1"}, 26 * 6 * 28 * 28),
    ({"connections": "lenet5", "at": "s2"}, 5 * 6 * 14 * 14),
    ({"connections": "lenet5", "at": "output"}, 840),
    ({"layers": "unet", "kinds": ["Conv", "ConvTransposed"]}, 23),
    ({"layers": "lenet5", "kinds": ["Softmax"]}, 0),
    ({"each": [{"children": "resnet50", "at": f"stage{i}"} for i in range(1, 5)]}, RESNET_50_ROWS),
    ({"children": "alexnet", "at": "convolutional", "named": "conv*"}, 5),
    ({"depth": "resnet152"}, 152),
    ({"depth": "googlenet"}, 22),
    ({"depth": "googlenet", "pools": True}, 27),
    ({"output": "lenet5", "at": "c1"}, (6, 28, 28)),
    ({"output": "lenet5", "at": ["input", "f6"]}, ((1, 32, 32), (84,))),
    ({"output": "googlenet", "at": "auxiliary_4a.0", "training": True}, (512, 4, 4)),
    ({"widths": "vgg16", "at": ["input", "dense.fc1"]}, (3, 4096)),
    ({"sides": "unet", "at": "output"}, 388),
    ({"units": "alexnet", "at": "convolutional.conv1"}, 55 * 55 * 96),
    ({"sight": "vgg16", "at": ["convolutional.row1.0", "convolutional.row1.2"]}, (3, 5)),
    ({"sight": "googlenet", "at": "stem.0"}, 7),
    ({"settings": "zfnet", "at": "layer1.0", "names": ["kernel", "stride"]}, (7, 2)),
    ({"settings": "zfnet", "at": ["layer3.0", "layer4.0"], "names": ["groups"]}, (1, 1)),
    (
        {"settings": "inception_v3", "at": "stage17.1.branches.1.1.0", "names": ["kernel"]},
        (1, 7),
    ),
    ({"settings": "googlenet", "at": "head.0", "names": ["how"]}, "avg"),
    ({"kernels": "alexnet", "at": "convolutional.conv2"}, (256, 48, 5, 5)),
    ({"functions": "lenet5"}, "scaled tanh"),
    ({"functions": "se-resnet50", "at": "stage1"}, "relu, sigmoid"),
    ({"convolve": "weights", "c_in": 3, "c_out": 4, "kernel": 3}, 108),
    ({"convolve": "parameters", "c_in": 3, "c_out": 30, "kernel": 10, "groups": 3}, 3030),
    ({"convolve": "macs", "c_in": 3, "c_out": 64, "kernel": 7, "size": 112}, 147 * 64 * 112**2),
    ({"connect": "parameters", "inputs": 300, "outputs": 3000}, 903_000),
    ({"connect": "weights", "inputs": 300, "outputs": 3000}, 900_000),
    ({"stack": "3 3 3", "ask": "field"}, 7),
    ({"stack": "3d2 3d2 3d2", "ask": "read"}, 7),
    ({"stack": "11s4p2 3s2", "ask": "size", "size": 224}, 27),
    ({"stack": "3s2", "ask": "unread", "size": 8}, 1),
    ({"spread": 3, "size": 2}, 4),
    ({"spread": 2, "size": 28, "stride": 2}, 56),
    ({"sum": [{"expression": "1"}, {"each": [{"expression": "2"}, {"expression": "3"}]}]}, 6),
    ({"difference": [{"expression": "7"}, {"expression": "2"}]}, 5),
    ({"ratio": [{"expression": "7"}, {"expression": "2"}]}, 3.5),
    (
        {
            "expression": "100 * part / whole",
            "part": {"weights": "vgg16", "at": "dense"},
            "whole": {"weights": "vgg16"},
        },
        100 * 123_633_664 / 138_344_128,
    ),
]


@pytest.mark.parametrize(("table", "value"), CASES, ids=lambda part: str(part)[:60])
def test_value(table: dict[str, Any], value: Value) -> None:
    assert read_measure(table).value(BENCH) == value


def test_every_kind_has_a_case() -> None:
    assert {key for table, _ in CASES for key in table} >= set(KINDS)


def test_which_networks_are_read() -> None:
    table = {"ratio": [{"macs": "plain34"}, {"macs": "vgg19"}]}
    assert read_measure(table).networks == {"plain34", "vgg19"}
    assert read_measure({"expression": "1"}).networks == frozenset()
    assert read_measure({"stack": "3", "ask": "field"}).networks == frozenset()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "a measure names one kind, given nothing; the kinds are parameters"),
        ({"parameter": "vgg16"}, "a measure names one kind, given parameter"),
        ({"macs": "vgg16", "weights": "vgg16"}, "a measure names one kind, given macs, weights"),
        (
            {"macs": "vgg16", "from": "x"},
            "'macs' has no option 'from'; it knows at, without, kinds",
        ),
        ({"macs": 3}, "the measure 'macs': Expected `str`, got `int`"),
        ({"macs": "vgg16", "kernel": ["a"]}, "the measure 'macs': Expected `int`, got `str`"),
        ({"stack": "3", "ask": "colour"}, "the measure 'stack': Invalid enum value 'colour'"),
        ({"output": "vgg16"}, "the measure 'output': .*missing required field `at`"),
        ({"sum": {"macs": "vgg16"}}, "'sum' takes a list of measures"),
        ({"ratio": [{"expression": "1"}]}, "'ratio' takes a list of two measures"),
        ({"sum": [], "at": "x"}, "'sum' has no option 'at'; it has no options"),
        ({"expression": 3}, "'expression' is written as text, given 3"),
    ],
)
def test_errors_are_clear(table: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_measure(table)


def test_what_cannot_be_measured() -> None:
    for table, says in (
        ({"settings": "vgg16", "at": "input", "names": ["colour"]}, "a Input has no 'colour'"),
        ({"sight": "vgg16", "at": "nowhere"}, "vgg16 has no module 'nowhere'"),
        ({"sum": [{"functions": "lenet5"}]}, "'scaled tanh' is no number to reckon with"),
        ({"children": "vgg16", "at": "rows"}, "vgg16 has no operation at 'rows'"),
    ):
        with pytest.raises(UserError, match=says):
            read_measure(table).value(BENCH)
