from itertools import pairwise

import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from layerwise import layers
from references import torchvision
from torch import nn
from transplant import randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.alexnet import FAMILY, AlexNet, AlexNetSpec, ResponseNorm
from convatlas.models.family import Task

SMALL = AlexNetSpec(image_size=63, num_classes=7, hidden=64)


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [
        # groups 1, 2, 1, 2, 2: 665,784,864 in convolutions and 58,621,952 in dense layers
        ("alexnet", 60_965_224, 724_406_816),
        ("alexnet@torchvision", 61_100_840, 714_188_480),
        ("alexnet-28", 2_161_514, 33_419_008),
    ],
)
def test_parameters_and_macs(name: str, parameters: int, macs: int) -> None:
    assert counts(FAMILY, name) == (parameters, macs)


def test_alexnet_28_by_hand() -> None:
    kernels = [48 * 25, 128 * 24 * 25, 192 * 128 * 9, 192 * 96 * 9, 128 * 96 * 9]
    dense = [512 * 1024, 1024 * 1024, 1024 * 10]
    biases = 48 + 128 + 192 + 192 + 128 + 1024 + 1024 + 10
    places = [28 * 28, 13 * 13, 6 * 6, 6 * 6, 6 * 6]
    macs = sum(k * p for k, p in zip(kernels, places, strict=True)) + sum(dense)
    assert counts(FAMILY, "alexnet-28") == (sum(kernels) + sum(dense) + biases, macs)


def test_parameters_of_every_layer() -> None:
    rows = layers(on_meta(FAMILY, "alexnet"), torch.zeros(1, 3, 224, 224, device="meta"))
    assert [row.parameters for row in rows if row.parameters] == [
        *(34_944, 307_456, 885_120, 663_936, 442_624),
        *(37_752_832, 16_781_312, 4_097_000),
    ]


def test_sizes_of_figure_2() -> None:
    # The printed 253,440 units of conv1 are 55*48*96; the other seven figures are right.
    found = sizes(
        on_meta(FAMILY, "alexnet"),
        torch.zeros(1, 3, 224, 224, device="meta"),
        [f"convolutional.conv{i}" for i in range(1, 6)]
        + [f"convolutional.pool{i}" for i in (1, 2, 5)]
        + [f"dense.fc{i}" for i in (6, 7, 8)],
    )
    assert list(found.values()) == [
        *((96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13)),
        *((384, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6)),
        *((4096,), (4096,), (1000,)),
    ]
    units = [torch.Size(s).numel() for path, s in found.items() if "pool" not in path]
    assert units == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]


def test_the_last_column_of_padding_is_never_read() -> None:
    # so that 224 with two zeros on either side is the 227 that the sizes need
    torch.manual_seed(0)
    conv1 = AlexNet(SMALL).convolutional[0].double()
    x = torch.randn(1, 3, 224, 224, dtype=torch.double)
    exact = nn.functional.conv2d(
        nn.functional.pad(x, (2, 1, 2, 1)), conv1.weight, conv1.bias, stride=4
    )
    assert exact.shape[-1] == 55
    torch.testing.assert_close(conv1(x), exact, rtol=0, atol=1e-12)


def test_response_normalisation_is_the_papers_formula_within_each_column() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 12, 3, 4, dtype=torch.double) * 40
    expected = torch.empty_like(x)
    for i in range(12):
        first, last = (0, 5) if i < 6 else (6, 11)
        window = x[:, max(first, i - 2) : min(last, i + 2) + 1]
        expected[:, i] = x[:, i] / (2 + 1e-4 * window.square().sum(1)) ** 0.75
    torch.testing.assert_close(ResponseNorm(2)(x), expected, rtol=1e-12, atol=0)


def test_the_columns_do_not_meet_before_conv3() -> None:
    torch.manual_seed(0)
    model = AlexNet(SMALL)
    x = torch.randn(1, 3, 63, 63)
    before = model.convolutional[:8](x)
    with torch.no_grad():
        model.convolutional[0].weight[48:] = 0
        model.convolutional[4].weight[128:] = 0
    after = model.convolutional[:8](x)
    assert torch.equal(after[:, :128], before[:, :128])
    assert not torch.equal(after[:, 128:], before[:, 128:])


def test_weights_are_drawn_after_section_5() -> None:
    torch.manual_seed(0)
    model = AlexNet(SMALL)
    ones = {"conv2", "conv4", "conv5", "fc6", "fc7"}
    for path, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            # 448 weights at the least, so the deviation is known to about 10 %
            assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
            assert (layer.bias == float(path.split(".")[1] in ones)).all()


def test_the_small_form_draws_weights_by_their_fan_in() -> None:
    torch.manual_seed(0)
    model = FAMILY.build(FAMILY.variants["alexnet-28"].spec)
    conv3 = model.convolutional.conv3
    assert conv3.weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert not any(p.any() for path, p in model.named_parameters() if path.endswith("bias"))


def test_hidden_units_are_dropped_here_and_their_inputs_in_torchvision() -> None:
    paper, other = on_meta(FAMILY, "alexnet"), on_meta(FAMILY, "alexnet@torchvision")
    for model, order in ((paper, ("relu6", "drop6")), (other, ("drop6", "fc6"))):
        assert order in list(pairwise(name for name, _ in model.dense.named_children()))
    dropped = [m.p for m in models.create("alexnet-28", Task(dropout=0.2)).dense if hasattr(m, "p")]
    assert dropped == [0.2, 0.2]


@pytest.fixture(scope="module")
def pair() -> tuple[nn.Module, nn.Module]:
    theirs = torchvision.models.alexnet().eval()
    randomise(theirs)
    ours = FAMILY.build(FAMILY.variants["alexnet@torchvision"].spec).eval()
    transplant(theirs, ours)
    return ours, theirs


@pytest.mark.parametrize("size", [63, 97, 224])
def test_equal_to_torchvision(pair: tuple[nn.Module, nn.Module], size: int) -> None:
    ours, theirs = pair
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


def test_gradient_equal_to_torchvision(pair: tuple[nn.Module, nn.Module]) -> None:
    ours, theirs = pair
    x = torch.randn(2, 3, 63, 63, generator=torch.Generator().manual_seed(1))
    kernels = [next(model.parameters()) for model in (ours, theirs)]
    gradients = [
        torch.autograd.grad(model(x).square().sum(), kernel)[0]
        for model, kernel in zip(pair, kernels, strict=True)
    ]
    assert torch.equal(*gradients)


@pytest.mark.parametrize(
    "spec", [SMALL, FAMILY.variants["alexnet-28"].spec], ids=["alexnet", "alexnet-28"]
)
def test_every_parameter_is_trained(spec: AlexNetSpec) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, spec.in_channels, spec.image_size, spec.image_size)
    assert untrained(AlexNet(spec), x) == []


@pytest.mark.parametrize(
    ("name", "smallest"), [("alexnet", 63), ("alexnet@torchvision", 63), ("alexnet-28", 15)]
)
def test_smallest_input_is_accepted_and_one_less_is_not(name: str, smallest: int) -> None:
    model = on_meta(FAMILY, name, Task(image_size=smallest, in_channels=2, num_classes=5))
    assert model(torch.zeros(1, 2, smallest, smallest, device="meta")).shape == (1, 5)
    with pytest.raises(UserError, match=f"accepts {smallest}x{smallest}"):
        models.create(name, Task(image_size=smallest - 1))
