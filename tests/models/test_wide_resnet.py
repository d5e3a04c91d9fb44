import pytest
import torch
from by_hand import Weights
from contract import counts, on_meta, sizes, untrained
from references import torchvision
from torch import Tensor, nn
from transplant import difference, randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.wide_resnet import FAMILY, WideCifarResNet, WideCifarSpec

# Parameters in millions as Tables 4 and 8 print them, parameters, multiply-adds.
COUNTS = {
    "wide-resnet-40-1": (0.6, 563_930, 83_280_512),
    "wide-resnet-40-2": (2.2, 2_243_546, 327_599_360),
    "wide-resnet-40-4": (8.9, 8_949_210, 1_298_582_016),
    "wide-resnet-40-8": (35.7, 35_748_314, 5_172_024_320),
    "wide-resnet-28-10": (36.5, 36_479_194, 5_243_328_768),
    "wide-resnet-28-12": (52.5, 52_517_850, 7_543_905_792),
    "wide-resnet-22-8": (17.2, 17_158_106, 2_454_115_328),
    "wide-resnet-22-10": (26.8, 26_797_914, 3_827_751_168),
    "wide-resnet-16-8": (11.0, 10_961_370, 1_548_145_664),
    "wide-resnet-16-10": (17.1, 17_116_634, 2_412_173_568),
    "wide-resnet-28-10-dropout": (36.5, 36_479_194, 5_243_328_768),
    "wide-resnet-50-2": (68.9, 68_883_240, 11_398_021_120),
    "wide-resnet-101-2@torchvision": (126.9, 126_886_696, 22_753_050_624),
}
TORCHVISION = {
    "wide-resnet-50-2": "wide_resnet50_2",
    "wide-resnet-101-2@torchvision": "wide_resnet101_2",
}


def by_hand(model: nn.Module, x: Tensor, spec: WideCifarSpec) -> Tensor:
    weights = Weights(model)
    x = weights.conv(x)
    for group in range(3):
        for block in range(spec.blocks):
            stride = 2 if group and not block else 1
            active = weights.norm(x).relu()
            changes = not block and (group > 0 or spec.k > 1)
            branch = weights.conv(active, stride)
            branch = weights.conv(weights.norm(branch).relu())
            x = branch + (weights.conv(active, stride) if changes else x)
    return weights.dense(weights.norm(x).relu())


def test_the_table_of_counts_is_complete() -> None:
    assert set(COUNTS) == set(FAMILY.variants)


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    printed, *exact = COUNTS[name]
    assert list(counts(FAMILY, name)) == exact
    assert round(exact[0] / 1e6, 1) == printed


def test_every_variant_has_the_layers_of_its_name() -> None:
    # Section 2.3 counts convolutions, those of the shortcuts too, of which 40-1 needs one less.
    for name in COUNTS:
        depth, k = (int(part) for part in name.split("@")[0].split("-")[2:4])
        if depth < 50:
            modules = on_meta(FAMILY, name).modules()
            convs = sum(isinstance(layer, nn.Conv2d) for layer in modules)
            assert convs == depth - (k == 1), name


def test_sizes_are_those_of_table_1() -> None:
    model = on_meta(FAMILY, "wide-resnet-28-10")
    x = torch.zeros(1, 3, 32, 32, device="meta")
    assert list(sizes(model, x, ("stem", "stage1", "stage2", "stage3", "head")).values()) == [
        (16, 32, 32),
        (160, 32, 32),
        (320, 16, 16),
        (640, 8, 8),
        (10,),
    ]


@pytest.mark.parametrize("k", [1, 2])
def test_outputs_equal_the_networks_written_out(k: int) -> None:
    spec = WideCifarSpec(blocks=2, k=k, dropout=0.3)
    model = WideCifarResNet(spec).double().eval()
    randomise(model)
    with torch.inference_mode():
        for side in (32, 13, 1):
            x = torch.randn(2, 3, side, side, dtype=torch.float64)
            expected = by_hand(model, x, spec)
            assert (model(x) - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize(("name", "theirs"), TORCHVISION.items())
def test_outputs_equal_torchvisions_bit_for_bit(name: str, theirs: str) -> None:
    reference = getattr(torchvision.models, theirs)(num_classes=10)
    ours = models.create(name, Task(num_classes=10)).eval()
    randomise(reference)
    transplant(reference.eval(), ours)
    with torch.inference_mode():
        for side in (64, 45, 1):
            x = torch.randn(1, 3, side, side)
            assert torch.equal(ours(x), reference(x)), side


def test_dropout_stands_before_the_second_convolution_of_every_block() -> None:
    model = models.create("wide-resnet-40-2", Task(dropout=0.5))
    rates = [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)]
    assert rates == [0.5] * 18
    branch = model.get_submodule("stage1.block2.branch")
    assert list(dict(branch.named_children()))[-2:] == ["dropout", "conv2"]


@pytest.mark.parametrize("name", ["wide-resnet-40-1", "wide-resnet-16-8"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 8, 8)) == []


def test_gradients_equal_torchvisions() -> None:
    theirs = torchvision.models.wide_resnet50_2(num_classes=10)
    ours = models.create("wide-resnet-50-2", Task(num_classes=10))
    randomise(theirs)
    transplant(theirs, ours)
    x = torch.randn(2, 3, 48, 48)
    for net in (ours, theirs):
        net(x).square().sum().backward()
    for (path, mine), yours in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert mine.grad is not None
        assert yours.grad is not None
        assert difference(mine.grad, yours.grad) < 1e-5, path


def test_a_picture_of_nothing_is_refused() -> None:
    for name in ("wide-resnet-28-10", "wide-resnet-50-2"):
        with pytest.raises(UserError, match="accepts 1x1 and larger"):
            models.create(name, Task(image_size=0))
