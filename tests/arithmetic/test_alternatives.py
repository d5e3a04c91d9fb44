from convatlas.arithmetic.alternatives import Block, side_by_side
from convatlas.arithmetic.examples import oblong, square


def test_branches_add_up() -> None:
    block = Block("two", ((square(8, 4, 1), square(4, 6, 3)), (square(8, 5, 5),)))
    cost = block.cost((8, 10, 10))
    assert cost.output == (11, 10, 10)
    assert cost.weights == 8 * 4 + 9 * 4 * 6 + 25 * 8 * 5
    assert cost.macs == 100 * cost.weights
    assert cost.biases == 4 + 6 + 5
    assert (block.layers, block.taps, block.field((10, 10))) == (2, 1 + 9 + 25, (5, 5))


def test_the_field_of_factors_is_that_of_the_kernel() -> None:
    factors = Block("factors", ((oblong(2, 2, 1, 7), oblong(2, 2, 7, 1)),))
    assert factors.field((20, 20)) == (7, 7)


def test_the_formula_for_kernels_side_by_side() -> None:
    block = Block("three", ((square(192, 64, 1),), (square(192, 128, 3),), (square(192, 32, 5),)))
    macs = side_by_side((192, 28, 28), ((1, 64), (3, 128), (5, 32)))
    assert macs == block.cost((192, 28, 28)).macs
