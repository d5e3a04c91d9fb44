import random
from math import floor

import pytest

from convatlas.graph.polynomial import NotSymbolic, Polynomial, value_at

LEAST = (1, 1, 1)
N, H, W = (Polynomial.variable(name, LEAST) for name in "Nhw")


def drawn(draw: random.Random) -> Polynomial:
    total = H * draw.randint(1, 9)
    for factor in draw.choices((1, N, H, W, N * H, H * W), k=draw.randint(0, 4)):
        total = total + draw.randint(0, 30) * factor
    return total


@pytest.mark.parametrize("seed", range(100))
def test_arithmetic_as_at_every_place(seed: int) -> None:
    draw = random.Random(seed)
    one, other, divisor = drawn(draw), drawn(draw), draw.randint(1, 5)
    place = (draw.randint(1, 5), draw.randint(1, 9), draw.randint(1, 9))
    a, b = one.at(*place), other.at(*place)
    assert value_at(one + other, *place) == a + b
    assert value_at(one - other, *place) == a - b
    assert value_at(one * other, *place) == a * b
    assert value_at(3 - one * 2, *place) == 3 - 2 * a
    assert value_at(one * other // other, *place) == a
    assert value_at((one * divisor + 7) // divisor, *place) == (a * divisor + 7) // divisor
    assert value_at((one * divisor - 7) % divisor, *place) == (a * divisor - 7) % divisor


@pytest.mark.parametrize("seed", range(100))
def test_a_comparison_that_is_decided_holds_everywhere(seed: int) -> None:
    draw = random.Random(seed)
    one, other = drawn(draw), drawn(draw)
    places = [(n, h, w) for n in range(1, 4) for h in range(1, 6) for w in range(1, 6)]
    for ask in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
        try:
            answer = getattr(one, ask)(other)
        except NotSymbolic:
            continue
        for place in places:
            assert getattr(one.at(*place), ask)(other.at(*place)) == answer, (ask, place)


def test_a_constant_is_an_integer_again() -> None:
    assert (H + 1) - H == 1
    assert isinstance((H + 1) - H, int)
    assert H * 0 == 0


def test_comparisons_go_by_the_smallest_sizes() -> None:
    assert H > 0
    assert H >= 1
    assert 2 * H + W > 2
    assert 5 * H != 4
    with pytest.raises(NotSymbolic, match="at some sizes only") as doubt:
        assert H > 1
    assert doubt.value.names == {"h"}
    larger = Polynomial.variable("h", (1, 2, 1))
    assert larger > 1
    with pytest.raises(NotSymbolic):
        assert H == W


def test_a_division_says_what_would_make_it_come_out() -> None:
    assert (4 * H - 7) // 2 == 2 * H - 4
    with pytest.raises(NotSymbolic, match=r"\(6·h \+ 1\) / 4 does not come out") as doubt:
        _ = (6 * H + 1) // 4
    assert (doubt.value.factor, doubt.value.names) == (2, {"h"})
    with pytest.raises(NotSymbolic) as doubt:
        _ = N // 2
    assert doubt.value.factor == 1  # pictures come one by one


def test_division_by_polynomials() -> None:
    assert (N * H * W * 8) // (N * H) == 8 * W
    assert (H * H + 3 * H + 2) // (H + 1) == H + 2
    assert (N * H) // (2 * N * H) == 0
    assert 0 // H == 0
    with pytest.raises(NotSymbolic):
        _ = H // W
    with pytest.raises(NotSymbolic):
        _ = 5 // H


def test_scale_factors() -> None:
    assert floor(2 * H * 1.5) == 3 * H
    assert floor(10 * H * 0.1) == H
    with pytest.raises(NotSymbolic) as doubt:
        _ = H * 0.25
    assert doubt.value.factor == 4


def test_text() -> None:
    assert str(N * H * W * 1200000 + N * 5) == "N·(1,200,000·h·w + 5)"
    assert str(H * H - H + 2) == "h² − h + 2"
    assert str(2 * W - 3 * H) == "−3·h + 2·w"
    assert str(-N) == "−N"
    assert repr(7 * N) == "7·N"


def test_polynomials_as_keys() -> None:
    table = {(H + 1, 3): "a", (H + 2, 3): "b"}
    assert table[1 + H, 3] == "a"
    assert table[(2 * H + 4) // 2, 3] == "b"
