import itertools

import pytest
import torch

from convatlas.graph.operation import Measure, ShapeError
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace, Softmax, broadcast

SHAPES = ((), (1,), (4,), (3, 1), (3, 4), (1, 4), (2, 3, 4), (2, 1, 1), (5,), (0, 4))


def test_broadcasting_of_every_pair_as_torch_does() -> None:
    for a, b in itertools.product(SHAPES, repeat=2):
        try:
            expected = torch.broadcast_shapes(a, b)
        except RuntimeError:
            with pytest.raises(ShapeError, match="do not go together"):
                broadcast(a, b)
            continue
        assert broadcast(a, b) == tuple(expected)


def test_one_operation_for_each_value() -> None:
    assert Arithmetic(function="add").measure(((2, 3, 1), (3, 4))) == Measure((2, 3, 4), 0, 24)
    assert Arithmetic(function="where").measure(((4,), (3, 1), (2, 1, 1))).shape == (2, 3, 4)
    assert Activation(function="relu").measure(((2, 3),)) == Measure((2, 3), 0, 6)
    assert Softmax().measure(((2, 3),)) == Measure((2, 3), 0, 24)


def test_dropout_does_nothing_in_evaluation() -> None:
    assert Dropout(p=0.5).measure(((2, 3),)) == Measure((2, 3), 0, 0)
    assert Dropout(p=0.5, training=True).measure(((2, 3),)) == Measure((2, 3), 0, 12)


def test_replacing_costs_what_is_put_in() -> None:
    assert Replace().measure(((4, 4), (2, 2))) == Measure((4, 4), 0, 4)
    assert Replace().measure(((4, 4),)) == Measure((4, 4), 0, 16)


def test_shapes_that_do_not_go_together_are_both_named() -> None:
    with pytest.raises(ShapeError, match="2×3×4 and 5 do not go together"):
        Arithmetic(function="add").measure(((2, 3, 4), (5,)))
