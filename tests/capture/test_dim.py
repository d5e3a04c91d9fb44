"""Sizes with an origin: what Python computes with them can be computed again at other sizes."""

import math
import operator
from collections.abc import Callable
from typing import Any

import pytest

from convatlas.capture.dim import Axis, Dim, Origin, Sizes, origin
from convatlas.graph.sizes import COMPARISONS, value

HEARD = list[tuple[Origin, str, Origin, bool]]


def dim(number: int, axis: int, heard: HEARD) -> Dim:
    return Dim(number, Axis(0, axis), lambda *told: heard.append(told))


def again(number: int, shape: tuple[int, ...]) -> int:
    sizes = Sizes([number], 0)
    return value(sizes.values[0], (shape,))


FOLLOWED: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: 3 + a - b,
    lambda a, b: a * b // 3,
    lambda a, b: 17 // a + 40 % b,
    lambda a, b: -a % 7,
    lambda a, b: math.prod([a, b, 2]),
    lambda a, b: sum([a, b]),
    lambda a, b: divmod(a, b)[1] + divmod(a, 3)[0] + divmod(50, b)[0],
    lambda a, b: +a - (-b),
]


@pytest.mark.parametrize("number", range(len(FOLLOWED)))
def test_followed(number: int) -> None:
    heard: HEARD = []
    made = FOLLOWED[number](dim(5, 0, heard), dim(8, 1, heard))
    assert operator.index(made) == FOLLOWED[number](5, 8)
    assert not heard
    assert again(made, (11, 4)) == FOLLOWED[number](11, 4)


@pytest.mark.parametrize(
    "function",
    [
        *(int, float, hash, abs, round, math.sqrt, math.floor, math.ceil, math.trunc),
        *(operator.inv, lambda a: a / 2, lambda a: 1 / a, lambda a: a * 0.5, lambda a: round(a, 0)),
        *(lambda a: a**2, lambda a: 2**a, lambda a: a**0.5, lambda a: a << 1, lambda a: 1 << a),
        *(lambda a: a >> 1, lambda a: a & 3, lambda a: a | 3, lambda a: a ^ 3, lambda a: [0] * a),
        *(lambda a: math.ceil(a / 2), lambda a: a < 5.5, lambda a: a == 5.0, lambda a: a in {5}),
        *(lambda a: {5: "x"}[a], lambda a: a - 0.5, lambda a: 3 & a),
        *(lambda a: a.bit_length(), lambda a: a.as_integer_ratio(), lambda a: a.bit_count()),
    ],
)
def test_the_bare_number_holds_the_graph_to_it(function: Callable[[Any], Any]) -> None:
    heard: HEARD = []
    assert function(dim(5, 0, heard)) == function(5)
    assert (Axis(0, 0), "==", 5, True) in heard


@pytest.mark.parametrize("relation", COMPARISONS)
@pytest.mark.parametrize("other", [4, 5, 6])
def test_comparisons_are_told(relation: str, other: int) -> None:
    compare, heard = COMPARISONS[relation], HEARD()
    assert compare(dim(5, 0, heard), other) == compare(5, other)
    assert heard == [(Axis(0, 0), relation, other, compare(5, other))]
    heard.clear()
    assert compare(dim(5, 0, heard), dim(other, 1, heard)) == compare(5, other)
    assert heard == [(Axis(0, 0), relation, Axis(0, 1), compare(5, other))]
    heard.clear()
    assert compare(dim(5, 0, heard), dim(5, 0, heard)) == compare(5, 5)
    assert not heard


def test_truth_and_extremes_are_told() -> None:
    heard: HEARD = []
    assert bool(dim(5, 0, heard))
    assert max(dim(5, 0, heard), 3) == 5
    assert len(heard) == 3
    assert origin(7) == 7
