import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from torch import nn

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.vgg_cifar import FAMILY, VGGCifar, VGGCifarSpec

ROWS = [f"convolutional.row{i}" for i in range(1, 6)]


def test_weights_biases_and_norms() -> None:
    model = on_meta(FAMILY, "vgg15-cifar")
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    convolutions, dense = (
        sum(m.weight.numel() for m in layers if isinstance(m, kind))
        for kind in (nn.Conv2d, nn.Linear)
    )
    assert len(layers) == 15
    assert (convolutions, dense) == (14_710_464, 267_264)
    biases = sum(m.bias.numel() for m in layers)
    assert convolutions + dense + biases == 14_982_474
    norms = 2 * (4224 + 512)  # a weight and a bias for every map and every hidden unit
    assert counts(FAMILY, "vgg15-cifar") == (14_982_474 + norms, 313_463_808)


def test_weights_of_every_row() -> None:
    model = on_meta(FAMILY, "vgg15-cifar")
    found = [
        sum(m.weight.numel() for m in model.get_submodule(row) if isinstance(m, nn.Conv2d))
        for row in ROWS
    ]
    assert found == [38_592, 221_184, 1_474_560, 5_898_240, 7_077_888]


@pytest.mark.parametrize(
    ("size", "after"), [(32, [16, 8, 4, 2, 1]), (28, [14, 7, 4, 2, 1]), (33, [17, 9, 5, 3, 2])]
)
def test_sizes_round_up(size: int, after: list[int]) -> None:
    model = on_meta(FAMILY, "vgg15-cifar", Task(image_size=size))
    found = sizes(model, torch.zeros(1, 3, size, size, device="meta"), ROWS)
    assert [shape[-1] for shape in found.values()] == after
    assert [shape[0] for shape in found.values()] == [64, 128, 256, 512, 512]


def test_dropout_stands_between_the_convolutions_and_before_the_dense_layers() -> None:
    rates = [m.p for m in on_meta(FAMILY, "vgg15-cifar").modules() if isinstance(m, nn.Dropout)]
    assert rates == pytest.approx([0.3, 0.4, *[0.4] * 6, 0.5, 0.5])
    none = on_meta(FAMILY, "vgg15-cifar", Task(dropout=0.0))
    assert not any(m.p for m in none.modules() if isinstance(m, nn.Dropout))


def test_a_row_is_the_plain_operations_in_order() -> None:
    torch.manual_seed(0)
    row = VGGCifar(VGGCifarSpec()).eval().convolutional[0].double()
    x = torch.randn(2, 3, 5, 5).double()
    expected = x
    for conv, norm in ((row[0], row[1]), (row[4], row[5])):
        expected = nn.functional.conv2d(expected, conv.weight, conv.bias, padding=1)
        expected = (expected / (1 + norm.eps) ** 0.5).clamp(min=0)  # fresh statistics are 0 and 1
    padded = nn.functional.pad(expected, (0, 1, 0, 1), value=-1)  # rounding up
    expected = padded.unfold(2, 2, 2).unfold(3, 2, 2).amax((-2, -1))
    torch.testing.assert_close(row(x), expected, rtol=1e-12, atol=1e-12)


def test_every_parameter_is_trained() -> None:
    torch.manual_seed(0)
    model = models.create("vgg15-cifar", Task(image_size=8, in_channels=1, dropout=0.0))
    # Biases before batch norm are undone by it; their gradient is rounding, but is there.
    assert untrained(model, torch.randn(4, 1, 8, 8)) == []


def test_any_size_is_accepted_but_none() -> None:
    model = on_meta(FAMILY, "vgg15-cifar", Task(image_size=1))
    assert model(torch.zeros(1, 3, 1, 1, device="meta")).shape == (1, 10)
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create("vgg15-cifar", Task(image_size=0))
