"""The figures of the lecture notes and of GoogLeNet's Table 1; exact unless a tolerance stands."""

import pytest

from convatlas.arithmetic.examples import (
    INCEPTION_INPUT,
    depth_changes,
    factorisations,
    inception,
    reduction,
)


def test_the_first_inception_block_against_single_kernels() -> None:
    block, plain, three, five = (block.cost(INCEPTION_INPUT) for block in inception())
    assert {cost.output for cost in (block, plain, three, five)} == {(256, 28, 28)}
    assert (block.weights, block.parameters, block.macs) == (163_328, 163_696, 128_049_152)
    assert (three.weights, five.weights) == (442_368, 1_228_800)
    assert three.weights / block.weights == pytest.approx(3, abs=0.5)  # "about three times"
    assert five.weights / block.weights == pytest.approx(8, abs=0.5)  # "about eight times"
    assert plain.weights == 192 * (64 + 9 * 128 + 25 * 32 + 32)


def test_reduction() -> None:
    direct, reduced = (block.cost((256, 28, 28)) for block in reduction())
    assert (direct.weights, reduced.weights) == (442_368, 126_976)


def test_factors_see_as_much_with_fewer_weights() -> None:
    taps = []
    for kernel, *factors in factorisations(8):
        for factor in factors:
            assert factor.field((30, 30)) == kernel.field((30, 30))
            assert factor.cost((8, 30, 30)).weights < kernel.cost((8, 30, 30)).weights
            assert factor.layers > kernel.layers
            taps.append((kernel.taps, factor.taps))
    assert taps == [(25, 18), (9, 6), (49, 27), (49, 14)]


def test_depth_from_100_to_50() -> None:
    costs = [block.cost((100, 224, 224)) for block in depth_changes()]
    assert [cost.weights for cost in costs] == [5_000, 45_000, 125_000]
    assert {cost.output for cost in costs} == {(50, 224, 224)}
