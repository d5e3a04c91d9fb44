"""Windows side by side: shapes against torch over a grid, work by hand."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from convatlas.graph.operation import ShapeError
from convatlas.graph.unfold import Fold, Unfold


def both(kernel: int, stride: int, padding: int, dilation: int) -> tuple[Unfold, Fold]:
    pair = {"kernel": (kernel,) * 2, "stride": (stride,) * 2, "dilation": (dilation,) * 2}
    border = ((padding, padding),) * 2
    return Unfold(**pair, padding=border), Fold(**pair, padding=border, size=(9, 11))


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"), [*product((1, 2, 3), (1, 2), (0, 1, 2), (1, 2))]
)
def test_shapes_as_torch(kernel: int, stride: int, padding: int, dilation: int) -> None:
    unfold, fold = both(kernel, stride, padding, dilation)
    x = torch.zeros(2, 3, 9, 11, device="meta")
    columns = F.unfold(x, kernel, dilation, padding, stride)
    found = unfold.measure((tuple(x.shape),))
    assert found == (tuple(columns.shape), 0, columns.numel())
    back = fold.measure((found.shape,))
    assert back == (tuple(x.shape), 0, columns.numel())


def test_columns_that_are_no_windows() -> None:
    _, fold = both(2, 1, 0, 1)
    for columns in ((2, 12, 79), (2, 13, 80)):
        with pytest.raises(ShapeError, match=r"cannot fold .* into maps of 9×11"):
            fold.measure((columns,))
    assert fold.measure(((2, 12, 80),)).shape == (2, 3, 9, 11)
