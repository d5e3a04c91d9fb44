"""Every formula of every network is worked out again."""

import math
import re

import pytest
import torch
from torch import nn

from convatlas import atlas
from convatlas.analysis.cost import cost
from convatlas.analysis.formula import formula
from convatlas.capture.capture import capture

SIGNS = str.maketrans({"·": "*", "−": "-", ",": "", "⌊": "f", "⌈": "c"})


def worked(text: str) -> float:
    """The left side of an equation as a number."""
    text = text.translate(SIGNS).replace("f(", "math.floor((").replace("c(", "math.ceil((")
    text = text.replace("⌋", ")").replace("⌉", ")")
    return float(eval(text, {"math": math}))


def equations(text: str) -> list[tuple[str, str, str]]:
    """What is worked out, the working and the result, of each part."""
    found = []
    for part in text.split("; "):
        what, rest = part.split(" ", 1)
        for piece in re.split(r", (?=[⌊⌈(])", rest):
            working, result = piece.rsplit(" = ", 1)
            found.append((what, working, result.replace(",", "")))
    return found


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_every_formula_holds(name: str) -> None:
    for line in cost(atlas.graph(name)).lines:
        text = formula(line)
        for what, working, result in equations(text) if text else ():
            if what != "size":  # groups divide without rest
                working = working.replace("/", "//")
            assert worked(working) == int(result), text
            if what == "MACs":
                assert int(result) == line.macs
            if what == "parameters":
                assert int(result) == line.parameters


def test_a_layer_in_full() -> None:
    line = cost(atlas.graph("alexnet"), ((1, 3, 224, 224),)).lines[1]
    assert formula(line) == (
        "size ⌊(224 + 2·2 − 11)/4⌋ + 1 = 55; parameters 11·11·3·96 + 96 = 34,944; "
        "MACs 55·55·34,848 = 105,415,200"
    )


@pytest.mark.parametrize("size", range(2, 14))
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 1), (3, 2, 0), (2, 3, 1)])
def test_pools_that_round_up(size: int, kernel: int, stride: int, padding: int) -> None:
    pool = nn.MaxPool2d(kernel, stride, padding, ceil_mode=True)
    if size + 2 * padding < kernel:
        return
    out = pool(torch.zeros(1, 1, size, size)).shape[-1]
    ((_, working, result),) = equations(formula(cost(capture(pool, (1, 1, size, size))).lines[-1]))
    assert worked(working) == int(result) == out


def test_other_shapes() -> None:
    transposed = capture(nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), (2, 4, 5, 7))
    assert formula(cost(transposed).lines[-1]) == (
        "size (5 − 1)·2 − 2·1 + 1·(3 − 1) + 1 + 1 = 10, (7 − 1)·2 − 2·1 + 1·(3 − 1) + 1 + 1 = 14; "
        "parameters 3·3·4·6 + 6 = 222; MACs 2·5·7·216 = 15,120"
    )
    dilated = capture(nn.Conv1d(4, 8, 3, dilation=2, groups=4, bias=False), (1, 4, 9))
    assert formula(cost(dilated).lines[-1]) == (
        "size ⌊(9 − (2·(3 − 1) + 1))/1⌋ + 1 = 5; parameters 3·4/4·8 = 24; MACs 5·24 = 120"
    )
    tokens = capture(nn.Linear(8, 3), (2, 7, 8))
    assert formula(cost(tokens).lines[-1]) == "parameters 8·3 + 3 = 27; MACs 2·7·8·3 = 336"
    assert formula(cost(tokens).lines[0]) == ""
