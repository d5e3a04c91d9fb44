"""Sizes against torch over a grid; exact."""

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
import torch
import torch.nn.functional as F

from convatlas.arithmetic.size import (
    border,
    lost_at_end,
    output_size,
    pooled_size,
    span,
    transposed_size,
)
from convatlas.errors import UserError

SIZES, KERNELS, STRIDES, DILATIONS = (1, 2, 5, 7, 8, 13), (1, 2, 3, 5), (1, 2, 3), (1, 2, 3)


def size_in_torch(make: Callable[[], torch.Tensor]) -> int | None:
    """The last axis of what a call gives, or nothing if torch refuses."""
    try:
        return make().shape[-1]
    except RuntimeError:
        return None


def size_here(make: Callable[[], int]) -> int | None:
    try:
        return make()
    except UserError:
        return None


@pytest.mark.parametrize(("size", "kernel"), list(product(SIZES, KERNELS)))
def test_convolution_as_torch(size: int, kernel: int) -> None:
    for stride, padding, dilation in product(STRIDES, (0, 1, 2), DILATIONS):
        x, weight = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
        theirs = size_in_torch(
            partial(F.conv1d, x, weight, stride=stride, padding=padding, dilation=dilation)
        )
        ours = size_here(partial(output_size, size, kernel, stride, (padding, padding), dilation))
        assert ours == theirs, (stride, padding, dilation)


@pytest.mark.parametrize(("size", "kernel"), list(product(SIZES, KERNELS)))
def test_pool_as_torch(size: int, kernel: int) -> None:
    grid = product(STRIDES, range(kernel // 2 + 1), DILATIONS, (False, True))
    for stride, padding, dilation, ceil in grid:
        x = torch.zeros(1, 1, size)
        theirs = size_in_torch(
            partial(F.max_pool1d, x, kernel, stride, padding, dilation, ceil_mode=ceil)
        )
        ours = size_here(
            partial(pooled_size, size, kernel, stride, (padding, padding), dilation, ceil=ceil)
        )
        assert ours == theirs, (stride, padding, dilation, ceil)


@pytest.mark.parametrize(("size", "kernel"), list(product(SIZES, KERNELS)))
def test_transposed_as_torch(size: int, kernel: int) -> None:
    for stride, padding, dilation in product(STRIDES, (0, 1, 2), DILATIONS):
        for extra in range(max(stride, dilation)):
            x, weight = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
            theirs = size_in_torch(
                partial(
                    F.conv_transpose1d,
                    x,
                    weight,
                    stride=stride,
                    padding=padding,
                    dilation=dilation,
                    output_padding=extra,
                )
            )
            ours = size_here(
                partial(transposed_size, size, kernel, stride, (padding, padding), dilation, extra)
            )
            assert ours == (theirs or None), (stride, padding, dilation, extra)


def test_transposed_undoes_the_size_of_a_convolution() -> None:
    for size, kernel, stride, padding in product(range(5, 20), (2, 3, 4), STRIDES, (0, 1)):
        down = output_size(size, kernel, stride, (padding, padding))
        extra = (size + 2 * padding - kernel) % stride
        assert transposed_size(down, kernel, stride, (padding, padding), 1, extra) == size


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(
    ("size", "kernel", "dilation"), list(product((3, 7, 8), KERNELS, DILATIONS))
)
def test_same_puts_its_pixels_where_torch_does(size: int, kernel: int, dilation: int) -> None:
    x, weight = torch.rand(1, 1, size), torch.rand(1, 1, kernel)
    padded = F.pad(x, border("same", size, kernel, 1, dilation))
    ours = F.conv1d(padded, weight, dilation=dilation)
    theirs = F.conv1d(x, weight, padding="same", dilation=dilation)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), list(product(range(1, 20), KERNELS, STRIDES))
)
def test_same_gives_the_size_over_the_stride_rounded_up(
    size: int, kernel: int, stride: int
) -> None:
    before, after = border("same", size, kernel, stride)
    assert output_size(size, kernel, stride, (before, after)) == -(-size // stride)
    assert after - before in (0, 1)


def test_published_sizes() -> None:
    assert output_size(5, 3) == 3
    assert output_size(5, 3, 2, border("same", 5, 3, 2)) == 3
    assert (output_size(8, 3, 2), lost_at_end(8, 3, 2)) == (3, 1)
    assert lost_at_end(7, 3, 2) == 0
    assert lost_at_end(8, 3, 2, (0, 1)) == 0
    assert span(3, 2) == 5
    assert output_size(224, 11, 4) == 54  # AlexNet's 55 needs 227
    assert output_size(227, 11, 4) == 55
    assert (pooled_size(112, 3, 2), pooled_size(112, 3, 2, ceil=True)) == (55, 56)


class Whole:
    """Behaves like a whole number without being one."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __add__(self, other: "int | Whole") -> "Whole":
        return Whole(self.value + int(other))

    def __sub__(self, other: "int | Whole") -> "Whole":
        return Whole(self.value - int(other))

    def __rsub__(self, other: int) -> "Whole":
        return Whole(other - self.value)

    def __mul__(self, other: "int | Whole") -> "Whole":
        return Whole(self.value * int(other))

    def __floordiv__(self, other: "int | Whole") -> "Whole":
        return Whole(self.value // int(other))

    def __neg__(self) -> "Whole":
        return Whole(-self.value)

    def __int__(self) -> int:
        return self.value

    def __lt__(self, other: "int | Whole") -> bool:
        return self.value < int(other)

    def __gt__(self, other: "int | Whole") -> bool:
        return self.value > int(other)

    def __ge__(self, other: "int | Whole") -> bool:
        return self.value >= int(other)

    __radd__, __rmul__ = __add__, __mul__


def test_anything_like_a_whole_number_will_do() -> None:
    size: int = Whole(13)  # type: ignore[assignment]
    results = (
        output_size(size, 3, 2, (1, 1)),
        pooled_size(size, 2, 2, ceil=True),
        transposed_size(size, 4, 2, (1, 1)),
    )
    assert all(isinstance(result, Whole) for result in results)
    assert [int(result) for result in results] == [7, 7, 26]


def test_a_kernel_that_does_not_fit_is_an_error_with_the_way_out() -> None:
    with pytest.raises(UserError, match=r"dilation 2 spans 9 pixels, .* padding, 8; use a smaller"):
        output_size(6, 5, 1, (1, 1), 2)
    with pytest.raises(UserError, match="cuts away all 3 pixels"):
        transposed_size(1, 3, 1, (2, 1))
