from itertools import product

import pytest
import torch
import torch.nn.functional as F

from convatlas.arithmetic.field import Field, field, fields
from convatlas.arithmetic.window import Window


def plain(*dilations: int) -> list[Window]:
    return [Window(kernel=3, dilation=dilation) for dilation in dilations]


def test_plain_stacks_grow_in_a_line_and_doubling_ones_double() -> None:
    assert [step.size for step in fields(plain(1, 1, 1))] == [1, 3, 5, 7]
    assert [step.size for step in fields(plain(1, 2, 4))] == [1, 3, 7, 15]
    assert [step.size for step in fields(plain(2, 2, 2))] == [1, 5, 9, 13]
    assert field(plain(2)).size == 5


def test_resnets_stem_and_pool() -> None:
    stem = [
        Window(kernel=7, stride=2, border=(3, 3)),
        Window(kernel=3, stride=2, border=(1, 1)),
    ]
    assert field(stem) == Field(size=11, jump=4, start=0)


def test_an_even_window_has_its_middle_between_pixels() -> None:
    assert field([Window(kernel=2, stride=2)]) == Field(size=2, jump=2, start=0.5)


@pytest.mark.parametrize(
    ("strides", "dilations", "paddings"),
    list(product(((1, 2), (2, 1), (2, 3)), ((1, 1), (2, 1), (1, 3)), ((0, 0), (1, 0), (2, 1)))),
)
def test_as_the_gradient_of_one_output(
    strides: tuple[int, int], dilations: tuple[int, int], paddings: tuple[int, int]
) -> None:
    """The inputs with a gradient begin and end where size, jump and start say."""
    windows = [
        Window(kernel=3, stride=stride, dilation=dilation, border=(padding, padding))
        for stride, dilation, padding in zip(strides, dilations, paddings, strict=True)
    ]
    x = torch.ones(1, 1, 60, requires_grad=True)
    y = x
    for window in windows:
        weight = torch.ones(1, 1, window.kernel)
        y = F.conv1d(
            y, weight, stride=window.stride, padding=window.border[0], dilation=window.dilation
        )
    place = y.shape[-1] // 2  # far from the border
    y[0, 0, place].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].nonzero().flatten()
    seen = field(windows)
    middle = seen.start + place * seen.jump
    assert touched.min() == middle - (seen.size - 1) / 2
    assert touched.max() == middle + (seen.size - 1) / 2
