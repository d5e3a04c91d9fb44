from itertools import product

import pytest

from convatlas.arithmetic.convolution import Convolution
from convatlas.arithmetic.dense import Dense
from convatlas.arithmetic.derivation import (
    Line,
    of_convolution,
    of_dense,
    of_field,
    of_geometry,
    of_pool,
    of_transposed,
)
from convatlas.arithmetic.field import fields
from convatlas.arithmetic.geometry import Geometry
from convatlas.arithmetic.pooling import Pool
from convatlas.arithmetic.transposed import Transposed
from convatlas.arithmetic.window import Window


def workings(lines: tuple[Line, ...]) -> dict[str, str]:
    return {line.what: line.working for line in lines}


def value(working: str) -> int:
    """A working calculated again by Python, up to its last equals sign."""
    left = working.rsplit(" = ", 1)[0]
    for ours, python in (("·", "*"), ("−", "-"), (",", "")):
        left = left.replace(ours, python)
    left = (
        left.replace("⌊", "int(").replace("⌋", "//1)").replace("⌈", "-int(-").replace("⌉", "//1)")
    )
    return int(eval(left))


def test_the_first_layer_of_the_notes() -> None:
    layer = Convolution(c_in=3, c_out=4, geometry=Geometry(kernel=(3, 3), padding=(1, 1)))
    assert workings(of_convolution(layer, (64, 64))) == {
        "height, width": "⌊(64 + 2·1 − 3)/1⌋ + 1 = 64",
        "weights": "3·3·3·4 = 108",
        "parameters": "108 + 4 = 112",
        "MACs": "3·3·3·4·64·64 = 442,368",
    }


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "groups"),
    list(product((3, 4), (1, 2, 3), (1, 2), (1, 2))),
)
def test_workings_come_out_as_they_say(
    kernel: int, stride: int, dilation: int, groups: int
) -> None:
    geometry = Geometry(
        kernel=(kernel, kernel),
        stride=(stride, stride),
        padding="same",
        dilation=(dilation, dilation),
    )
    layer = Convolution(c_in=4, c_out=6, geometry=geometry, groups=groups)
    lines = workings(of_convolution(layer, (15, 14)))
    lines |= workings(of_pool(Pool(kind="max", geometry=geometry), (15, 14)))
    geometry = Geometry(kernel=(kernel, kernel), stride=(stride, stride), padding=(1, 1))
    transposed = Transposed(c_in=4, c_out=6, geometry=geometry, groups=groups)
    for what, working in (*lines.items(), *workings(of_transposed(transposed, (5, 5))).items()):
        if not what.startswith("padding"):
            assert value(working) == int(working.rsplit(" = ", 1)[1].replace(",", "")), working


def test_the_padding_of_same_is_worked_out() -> None:
    geometry = Geometry(kernel=(3, 1), stride=(2, 2), padding="same")
    assert workings(of_geometry(geometry, (6, 6))) == {
        "padding, height": "⌈6/2⌉ = 3 outputs: (3 − 1)·2 + 3 − 6 = 1, 0 before, 1 after",
        "padding, width": "⌈6/2⌉ = 3 outputs: (3 − 1)·2 + 1 − 6 = −1, so none",
        "height": "⌊(6 + 0 + 1 − 3)/2⌋ + 1 = 3",
        "width": "⌊(6 + 2·0 − 1)/2⌋ + 1 = 3",
    }


def test_rounding_up_says_when_the_last_window_is_dropped() -> None:
    geometry = Geometry(kernel=(2, 2), stride=(2, 2), padding=(1, 1))
    pool = Pool(kind="max", geometry=geometry, ceil=True)
    lines = workings(of_pool(pool, (5, 4)))
    assert lines["height"] == (
        "⌈(5 + 2·1 − 2)/2⌉ + 1 = 4, the last of which would begin in the padding: 3"
    )
    assert lines["width"] == "⌈(4 + 2·1 − 2)/2⌉ + 1 = 3"


def test_dense() -> None:
    assert workings(of_dense(Dense(inputs=300, outputs=3000))) == {
        "weights": "300·3000 = 900,000",
        "parameters": "900,000 + 3,000 = 903,000",
    }


def test_field_steps() -> None:
    windows = (Window(kernel=3, stride=2), Window(kernel=3, dilation=2, border=(1, 1)))
    assert [line.working for line in of_field(windows, fields(windows))] == [
        "size 1 + (3 − 1)·1·1 = 3, jump 1·2 = 2, start 0 + (2/2 − 0)·1 = 1",
        "size 3 + (3 − 1)·2·2 = 11, jump 2·1 = 2, start 1 + (4/2 − 1)·2 = 3",
    ]
