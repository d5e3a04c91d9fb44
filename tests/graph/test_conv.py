import random

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.operation import Measure, ShapeError


def by_torch(module: nn.Module, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int] | None:
    """Output shape and MACs as torch counts them (two FLOPs each); none if nothing comes out."""
    counter = FlopCounterMode(display=False)
    try:
        with counter:
            made = module.to("meta")(torch.empty(shape, device="meta"))
    except (RuntimeError, ValueError):
        return None
    if made.numel() == 0:
        return None
    return tuple(made.shape), counter.get_total_flops() // 2


@pytest.mark.parametrize("seed", range(150))
def test_convolution_as_torch_counts_it(seed: int) -> None:
    draw = random.Random(seed)
    axes = draw.choice((1, 2, 2, 3))
    groups = draw.choice((1, 1, 2, 4))
    kernel, stride, padding, dilation = (
        tuple(draw.randint(low, high) for _ in range(axes))
        for low, high in ((1, 5), (1, 3), (0, 3), (1, 3))
    )
    bias = draw.random() < 0.5
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    shape = (draw.randint(1, 3), 4, *(draw.randint(3, 14) for _ in range(axes)))
    module = kind(4, 8, kernel, stride, padding, dilation, groups, bias)
    operation = Conv(
        c_in=4,
        c_out=8,
        kernel=kernel,
        stride=stride,
        padding=tuple((p, p) for p in padding),
        dilation=dilation,
        groups=groups,
        bias=bias,
    )
    compare(operation, module, shape, bias)


@pytest.mark.parametrize("seed", range(150))
def test_transposed_convolution_as_torch_counts_it(seed: int) -> None:
    draw = random.Random(seed)
    axes = draw.choice((1, 2, 2, 3))
    groups, bias = draw.choice((1, 1, 2, 4)), draw.random() < 0.5
    kernel, stride, padding, dilation = (
        tuple(draw.randint(low, high) for _ in range(axes))
        for low, high in ((1, 4), (1, 3), (0, 3), (1, 2))
    )
    extra = tuple(draw.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    kind = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[axes - 1]
    shape = (draw.randint(1, 3), 4, *(draw.randint(1, 8) for _ in range(axes)))
    module = kind(4, 8, kernel, stride, padding, extra, groups, bias, dilation)
    operation = ConvTransposed(
        c_in=4,
        c_out=8,
        kernel=kernel,
        stride=stride,
        padding=padding,
        output_padding=extra,
        dilation=dilation,
        groups=groups,
        bias=bias,
    )
    compare(operation, module, shape, bias)


def compare(
    operation: Conv | ConvTransposed, module: nn.Module, shape: tuple[int, ...], bias: bool
) -> None:
    expected = by_torch(module, shape)
    if expected is None:
        with pytest.raises(ShapeError):
            operation.measure((shape,))
        return
    made, macs = expected
    work = torch.Size(made).numel() if bias else 0
    assert operation.measure((shape,)) == Measure(made, macs, work)


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (2, 1), (3, 2), (4, 1), (4, 3)])
def test_same_padding_keeps_the_size(kernel: int, dilation: int) -> None:
    reach = (kernel - 1) * dilation
    operation = conv(kernel=(kernel,), padding=((reach // 2, reach - reach // 2),), spread=dilation)
    assert operation.measure(((1, 2, 9),)).shape == (1, 3, 9)


def conv(kernel: tuple[int, ...], padding: tuple[tuple[int, int], ...], spread: int = 1) -> Conv:
    once = (1,) * len(kernel)
    return Conv(
        c_in=2,
        c_out=3,
        kernel=kernel,
        stride=once,
        padding=padding,
        dilation=(spread,) * len(kernel),
    )


def test_padding_of_one_side() -> None:
    assert conv((3,), ((2, 0),)).measure(((1, 2, 9),)).shape == (1, 3, 9)
    assert conv((3,), ((0, 1),)).measure(((1, 2, 9),)).shape == (1, 3, 8)


def test_a_batch_may_be_missing() -> None:
    assert conv((3, 3), ((0, 0),) * 2).measure(((2, 5, 5),)) == Measure((3, 3, 3), 486, 27)


def test_a_table_of_links_instead_of_groups() -> None:
    """LeNet-5's C3: 60 of 96 pairs of maps are joined; 5x5x60 weights, at 10x10 places."""
    c3 = Conv(
        c_in=6,
        c_out=16,
        kernel=(5, 5),
        stride=(1, 1),
        padding=((0, 0),) * 2,
        dilation=(1, 1),
        links=60,
    )
    assert c3.measure(((1, 6, 14, 14),)).macs == 25 * 60 * 100


def test_errors_say_what_was_given_and_the_way_out() -> None:
    operation = conv((3, 3), ((0, 0),) * 2)
    with pytest.raises(ShapeError, match=r"takes 2 channels \(N×2×H×W\), given 1×3×9×9; set its"):
        operation.measure(((1, 3, 9, 9),))
    with pytest.raises(ShapeError, match="a window of 3 does not fit into 2; it needs at least 3"):
        operation.measure(((1, 2, 2, 9),))
    with pytest.raises(ShapeError, match=r"into 1 \+ 0 \+ 1 of padding; it needs at least 2"):
        conv((3,), ((0, 1),)).measure(((1, 2, 1),))
    with pytest.raises(ShapeError, match="takes 2 channels"):
        operation.measure(((9,),))
    spread = ConvTransposed(
        c_in=1,
        c_out=1,
        kernel=(2,),
        stride=(1,),
        padding=(3,),
        output_padding=(0,),
        dilation=(1,),
    )
    with pytest.raises(ShapeError, match="its output would be -2; use less padding"):
        spread.measure(((1, 1, 3),))
