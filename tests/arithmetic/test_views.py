import pytest
import torch
import torch.nn.functional as F

from convatlas.arithmetic.views import (
    Grid,
    applied,
    as_matrix,
    convolve,
    flat,
    folded,
    scaled,
    scatter,
    transpose,
)

KERNEL: Grid = ((1, 2, 1), (2, 1, 2), (1, 1, 2))


def grid(height: int, width: int) -> Grid:
    values = torch.randint(-9, 10, (height, width), generator=torch.Generator().manual_seed(1))
    return tuple(map(tuple, values.tolist()))


def tensor(values: Grid) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[None, None]


@pytest.mark.parametrize("size", [(3, 3), (4, 4), (5, 7)])
def test_all_views_agree_with_torch(size: tuple[int, int]) -> None:
    picture = grid(*size)
    small = convolve(picture, KERNEL)
    assert torch.equal(tensor(small), F.conv2d(tensor(picture), tensor(KERNEL)))
    painted = scatter(small, KERNEL)
    assert torch.equal(tensor(painted), F.conv_transpose2d(tensor(small), tensor(KERNEL)))
    matrix = as_matrix(KERNEL, *size)
    assert folded(applied(matrix, flat(picture)), len(small[0])) == small
    assert folded(applied(transpose(matrix), flat(small)), size[1]) == painted


def test_a_value_of_55_paints_three_rows() -> None:
    assert scaled(55, KERNEL) == ((55, 110, 55), (110, 55, 110), (55, 55, 110))


def test_a_3x3_over_4x4_is_a_4x16_matrix() -> None:
    matrix = as_matrix(KERNEL, 4, 4)
    assert (len(matrix), len(matrix[0])) == (4, 16)
    assert matrix[0] == (1, 2, 1, 0, 2, 1, 2, 0, 1, 1, 2, 0, 0, 0, 0, 0)
    assert len(applied(transpose(matrix), (1, 2, 3, 4))) == 16
