import math

import pytest
import torch
from torch import Tensor

from convatlas.analysis.meaning.interleave import stacked, stepped
from convatlas.analysis.meaning.layout import Layout


def cut(x: Layout, row: int, column: int) -> Layout:
    return stepped(stepped(x, 1, row, 2, 2), 2, column, 2, 3)


BY_COLUMN = ((0, 0), (1, 0), (0, 1), (1, 1))
BY_ROW = ((0, 0), (0, 1), (1, 0), (1, 1))


@pytest.mark.parametrize("order", [BY_COLUMN, BY_ROW])
def test_every_second_row_and_column_stacked_is_a_view(order: tuple[tuple[int, int], ...]) -> None:
    shape = (2, 4, 6, 3)
    x: Tensor = torch.arange(math.prod(shape)).view(shape)
    expected = torch.cat([x[:, row::2, column::2] for row, column in order], 3).flatten()
    whole = stacked([cut(Layout.of(shape), *pair) for pair in order], 3)
    assert whole is not None
    places = [whole.offset]
    for size, step in whole.factors:
        places = [place + n * step for place in places for n in range(size)]
    assert places == expected.tolist()


def test_parts_in_no_regular_order_are_no_view() -> None:
    x = Layout.of((2, 4, 6, 3))
    order = ((0, 0), (1, 1), (1, 0), (0, 1))
    assert stacked([cut(x, *pair) for pair in order], 3) is None
