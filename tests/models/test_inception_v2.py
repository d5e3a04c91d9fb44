import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from layerwise import layers
from torch import nn
from transplant import difference, randomise

from convatlas.errors import UserError
from convatlas.models.family import Task, adapt
from convatlas.models.inception_v2 import FAMILY, InceptionV2, InceptionV2Spec, halving_row, row

# Figure 5: input maps (the sum of the row before), then 1x1, 3x3 reduce, 3x3, double reduce,
# double 3x3, projection; 0 where the figure prints none.
ROWS = {
    "3a": (192, 64, 64, 64, 64, 96, 32),
    "3b": (256, 64, 64, 96, 64, 96, 64),
    "3c": (320, 0, 128, 160, 64, 96, 0),
    "4a": (576, 224, 64, 96, 96, 128, 128),
    "4b": (576, 192, 96, 128, 96, 128, 128),
    "4c": (576, 160, 128, 160, 128, 160, 128),
    "4d": (608, 96, 128, 192, 160, 192, 128),
    "4e": (608, 0, 128, 192, 192, 256, 0),
    "5a": (1056, 352, 192, 320, 160, 224, 128),
    "5b": (1024, 352, 192, 320, 192, 224, 128),
}


def row_parameters(widths: tuple[int, ...]) -> int:
    """Weights of a row by hand, with a gain and a bias for every map that is normalised."""
    c_in, one, reduce, three, reduce_double, double, projection = widths
    weights = c_in * (one + reduce + reduce_double + projection)
    weights += 9 * (reduce * three + reduce_double * double + double * double)
    return weights + 2 * (one + reduce + three + reduce_double + 2 * double + projection)


def test_figure_5_row_by_row() -> None:
    model = on_meta(FAMILY, "inception_v2")
    for name, widths in ROWS.items():
        block = model.get_submodule(f"inception{name}")
        assert sum(p.numel() for p in block.parameters()) == row_parameters(widths), name


def test_figure_5_sizes() -> None:
    model = on_meta(FAMILY, "inception_v2")
    paths = (
        *(f"stem.{number}" for number in (0, 1, 3, 4)),
        *(f"inception{name}" for name in ROWS),
        *("head.0", "head"),
    )
    got = sizes(model, torch.zeros(1, 3, 224, 224, device="meta"), paths)
    assert list(got.values()) == [
        *((64, 112, 112), (64, 56, 56), (192, 56, 56), (192, 28, 28)),
        *((256, 28, 28), (320, 28, 28), (576, 14, 14)),
        # The figure prints 576 for 4c and 4d and 1024 for 4e; its branches add up to these.
        *((576, 14, 14), (576, 14, 14), (608, 14, 14), (608, 14, 14), (1056, 7, 7)),
        *((1024, 7, 7), (1024, 7, 7), (1024, 1, 1), (1000,)),
    ]


def test_the_other_reading_gives_the_printed_outputs() -> None:
    with torch.device("meta"):
        model = InceptionV2(InceptionV2Spec(projection_4cd=96)).eval()
    picture = torch.zeros(1, 3, 224, 224, device="meta")
    got = sizes(model, picture, ("inception4c", "inception4d", "inception4e"))
    assert list(got.values()) == [(576, 14, 14), (576, 14, 14), (1024, 7, 7)]
    # 11,194,984 with a plain 7x7 layer, which has 9,408 weights instead of 2,712.
    assert sum(p.numel() for p in model.parameters()) == 11_194_984 - 9_408 + 2_712


def test_counts() -> None:
    parameters, macs = counts(FAMILY, "inception_v2")
    stem = 49 * 24 + 24 * 64 + 64 * 64 + 9 * 64 * 192 + 2 * (64 + 64 + 192)
    dense = 1024 * 1000 + 1000
    assert parameters == stem + sum(map(row_parameters, ROWS.values())) + dense == 11_278_528
    # Hu et al. (2018) count 2.03 G for their copy, whose first layer is a plain 7x7.
    plain, separable = 49 * 3 * 64, 49 * 3 * 8 + 24 * 64
    assert macs == 2_032_600_064 - (plain - separable) * 112 * 112


def test_first_layer_is_separable_with_eight_kernels_on_each_channel() -> None:
    # GoogLeNet's Table 1 prints this layer's 2.7 K parameters and 34 M operations.
    rows = layers(on_meta(FAMILY, "inception_v2"), torch.zeros(1, 3, 224, 224, device="meta"))
    first, second = rows[:2]
    assert (first.output, second.output) == ((24, 112, 112), (64, 112, 112))
    assert first.parameters + second.parameters == 2_712
    assert first.macs + second.macs == 34_019_328


def test_a_row_equals_its_branches_by_hand() -> None:
    # The same convolutions written with functions, in fp64: relative 1e-12.
    block = row(5, (2, 3, 4, 5, 6, 7), "average").double().eval()
    randomise(block)
    x = torch.randn(2, 5, 6, 7, dtype=torch.float64)

    def apply(part: nn.Module, x: torch.Tensor) -> torch.Tensor:
        conv, norm = part.get_submodule("0"), part.get_submodule("1")
        x = nn.functional.conv2d(x, conv.weight, padding=conv.weight.shape[-1] // 2)
        scale = norm.weight / (norm.running_var + 0.001).sqrt()
        x = (x - norm.running_mean[:, None, None]) * scale[:, None, None]
        return (x + norm.bias[:, None, None]).relu()

    one, three, double, pooled = block.branches
    ones = torch.ones(1, 1, 6, 7, dtype=torch.float64)
    window = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    total = nn.functional.conv2d(x, window.expand(5, 1, 3, 3), padding=1, groups=5)
    average = total / nn.functional.conv2d(ones, window, padding=1)
    expected = [
        apply(one, x),
        apply(three[1], apply(three[0], x)),
        apply(double[2], apply(double[1], apply(double[0], x))),
        apply(pooled[1], average),
    ]
    assert difference(block(x), torch.cat(expected, 1)) < 1e-12


@pytest.mark.parametrize("size", [1, 2, 7, 28])
def test_rows_of_stride_2_halve_every_size_alike(size: int) -> None:
    block = halving_row(4, (2, 3, 2, 3)).eval()
    assert block(torch.randn(1, 4, size, size)).shape == (1, 10, (size + 1) // 2, (size + 1) // 2)


def test_pools_are_those_of_the_figure() -> None:
    model = on_meta(FAMILY, "inception_v2")
    blocks = {name: model.get_submodule(f"inception{name}") for name in ROWS}
    pools = (nn.MaxPool2d, nn.AvgPool2d)
    kinds = {
        name: next(type(m) for m in blocks[name].modules() if isinstance(m, pools)) for name in ROWS
    }
    assert [name for name, kind in kinds.items() if kind is nn.MaxPool2d] == ["3c", "4e", "5b"]


@pytest.mark.parametrize("size", [33, 64])
def test_every_parameter_is_trained(size: int) -> None:
    torch.manual_seed(0)
    model = adapt("inception_v2", FAMILY, Task(num_classes=5, in_channels=1)).build()
    assert untrained(model, torch.randn(4, 1, size, size)) == []


def test_smallest_input() -> None:
    model = InceptionV2(InceptionV2Spec(num_classes=5)).eval()
    for height, width in ((1, 1), (17, 40)):
        assert model(torch.zeros(1, 3, height, width)).shape == (1, 5)
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        InceptionV2Spec(image_size=0)
