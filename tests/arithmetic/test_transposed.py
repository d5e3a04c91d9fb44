from itertools import product

import pytest
import torch
from torch import nn

from convatlas.arithmetic.geometry import Geometry
from convatlas.arithmetic.transposed import Transposed
from convatlas.errors import UserError


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "extra", "groups"),
    list(product(((3, 3), (2, 4)), (1, 2, 3), (0, 1), (1, 2), (0, 1), (1, 2))),
)
def test_shape_and_parameters_as_torch(
    kernel: tuple[int, int], stride: int, padding: int, dilation: int, extra: int, groups: int
) -> None:
    if extra >= max(stride, dilation):
        return
    theirs = nn.ConvTranspose2d(
        4, 6, kernel, stride, padding, extra, groups, dilation=dilation, device="meta"
    )
    geometry = Geometry(
        kernel=kernel,
        stride=(stride,) * 2,
        padding=(padding,) * 2,
        dilation=(dilation,) * 2,
    )
    ours = Transposed(
        c_in=4, c_out=6, geometry=geometry, output_padding=(extra, extra), groups=groups
    )
    cost = ours.cost((5, 7))
    assert cost.output == theirs(torch.empty(1, 4, 5, 7, device="meta")).shape[1:]
    assert cost.parameters == sum(p.numel() for p in theirs.parameters())


def test_macs_are_weights_times_inputs() -> None:
    geometry = Geometry(kernel=(4, 4), stride=(2, 2), padding=(1, 1))
    cost = Transposed(c_in=8, c_out=4, geometry=geometry).cost((16, 16))
    assert (cost.output, cost.macs) == ((4, 32, 32), 131_072)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), list(product((1, 2, 3, 4, 5), (1, 2, 3), (1, 2)))
)
def test_overlaps_are_what_a_kernel_of_ones_paints(kernel: int, stride: int, dilation: int) -> None:
    geometry = Geometry(kernel=(kernel, 1), stride=(stride, 1), dilation=(dilation, 1))
    ours = Transposed(c_in=1, c_out=1, geometry=geometry).overlaps()[0]
    painted = torch.nn.functional.conv_transpose1d(
        torch.ones(1, 1, 40), torch.ones(1, 1, kernel), stride=stride, dilation=dilation
    )[0, 0]
    middle = painted[20 * stride : 21 * stride]
    assert list(ours) == middle.tolist()


def test_same_is_refused_with_numbers_that_do() -> None:
    geometry = Geometry(kernel=(3, 3), stride=(2, 2), padding="same")
    with pytest.raises(UserError, match="--padding 1 --output-padding 1 makes the output 2 times"):
        Transposed(c_in=1, c_out=1, geometry=geometry)
    advised = Geometry(kernel=(3, 3), stride=(2, 2), padding=(1, 1))
    layer = Transposed(c_in=1, c_out=1, geometry=advised, output_padding=(1, 1))
    assert layer.output((16, 16)) == (32, 32)
    even = Geometry(kernel=(2, 2), padding="same")
    with pytest.raises(UserError, match="give --padding N"):
        Transposed(c_in=1, c_out=1, geometry=even)


def test_output_padding_is_smaller_than_the_stride() -> None:
    with pytest.raises(UserError, match="output padding 2 must be smaller"):
        Transposed(
            c_in=1,
            c_out=1,
            geometry=Geometry(kernel=(3, 3), stride=(2, 2)),
            output_padding=(2, 0),
        )
