import random

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from convatlas.graph.operation import Measure, ShapeError
from convatlas.graph.product import (
    Attention,
    AttentionWeights,
    Dense,
    Distance,
    Einsum,
    MatrixProduct,
)


@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5), (2, 3, 4, 5)])
def test_dense_layers_over_the_last_axis(shape: tuple[int, ...]) -> None:
    expected = F.linear(torch.empty(shape, device="meta"), torch.empty((7, 5), device="meta"))
    count = expected.numel()
    dense = Dense(c_in=5, c_out=7)
    assert dense.measure((shape,)) == Measure(tuple(expected.shape), 5 * count, count)
    assert Dense(c_in=5, c_out=7, bias=False).measure((shape,)).work == 0


def test_a_dense_layer_of_another_width() -> None:
    with pytest.raises(ShapeError, match=r"takes 5 values, given 6 \(2×6\); set its in_features"):
        Dense(c_in=5, c_out=7).measure(((2, 6),))


PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (1, 7, 3, 4)),
]


@pytest.mark.parametrize(("a", "b"), PRODUCTS)
def test_products_broadcast_as_torch_does(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Each number of the result is a sum over the axis that is shared."""
    expected = torch.empty(a, device="meta") @ torch.empty(b, device="meta")
    found = MatrixProduct().measure((a, b))
    assert found == Measure(tuple(expected.shape), expected.numel() * a[-1], 0)


def test_products_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="cannot multiply 2×3 with 4×5"):
        MatrixProduct().measure(((2, 3), (4, 5)))
    with pytest.raises(ShapeError, match="6 and 5 do not go together"):
        MatrixProduct().measure(((6, 2, 3), (5, 3, 4)))


EQUATIONS = ["ab,bc->ac", "nchw,cd->ndhw", "nhqd,nhkd->nhqk", "i,j->ij", "ab,ab->", "nab,nbc->nca"]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_by_its_letters(equation: str) -> None:
    draw = random.Random(equation)
    terms = equation.split("->")[0].split(",")
    sizes = {letter: draw.randint(2, 6) for letter in "".join(terms)}
    shapes = [tuple(sizes[letter] for letter in term) for term in terms]
    counter = FlopCounterMode(display=False)
    with counter:
        expected = torch.einsum(equation, *[torch.empty(s, device="meta") for s in shapes])
    found = Einsum(equation=equation).measure(tuple(shapes))
    assert found.shape == tuple(expected.shape)
    macs = 1
    for size in sizes.values():
        macs *= size
    assert found.macs == macs
    # What torch sends through a matrix product it counts alike; else it multiplies and sums.
    assert counter.get_total_flops() in (2 * macs, 0)


def test_einsum_of_one_operand_multiplies_nothing() -> None:
    assert Einsum(equation="abc->c").measure(((2, 3, 4),)) == Measure((4,), 0, 24)


def test_einsum_stretches_axes_of_1_and_refuses_others() -> None:
    product = Einsum(equation="ab,bc->ac")
    assert product.measure(((2, 1), (3, 4))).shape == (2, 4)
    with pytest.raises(ShapeError, match="cannot join 2×5 and 3×4 by ab,bc->ac: b is 5 and 3"):
        product.measure(((2, 5), (3, 4)))


@pytest.mark.parametrize("batch", [(), (2,), (2, 4)])
def test_attention_as_torch_counts_it(batch: tuple[int, ...]) -> None:
    """Two products: q kᵀ over E, then with v over F; and a softmax of L·S scores."""
    q, k, v = (*batch, 5, 8), (*batch, 7, 8), (*batch, 7, 8)
    expected = F.scaled_dot_product_attention(
        *(torch.empty(shape, device="meta") for shape in (q, k, v))
    )
    pairs = 5 * 7 * torch.Size(batch).numel()
    found = Attention().measure((q, k, v))
    assert found == Measure(tuple(expected.shape), pairs * 16, 4 * pairs)


def test_attention_of_several_heads_side_by_side() -> None:
    """Heads share the width, so their products together are those of one; the scores are not."""
    q, k, v = (5, 2, 8), (7, 2, 8), (7, 2, 8)
    found = Attention(heads=4, first=True).measure((q, k, v))
    assert found == Measure((5, 2, 8), 2 * 35 * 16, 4 * 4 * 2 * 35)
    weights = AttentionWeights(heads=4)
    assert weights.measure((q, k)) == Measure((2, 5, 7), 0, 4 * 2 * 35)
    assert AttentionWeights(heads=4, average=False).measure((q, k)).shape == (2, 4, 5, 7)


def test_distances_to_points() -> None:
    """LeNet-5's output: 10 units of 84 squared differences."""
    assert Distance(c_in=84, c_out=10).measure(((3, 84),)) == Measure((3, 10), 2520, 2520)
