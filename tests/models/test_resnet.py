from typing import Any

import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import timm, torchvision
from torch import nn
from transplant import difference, randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task, adapt
from convatlas.models.resnet import FAMILY, ResNet

# Parameters and multiply-adds at 224: He et al. Table 1 prints 1.8, 3.6, 3.8, 7.6 and 11.3e9.
COUNTS = {
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet18-a": (11_515_688, 1_794_805_760),
    "resnet18-c": (12_043_816, 1_878_298_624),
    "plain18": (11_515_688, 1_794_805_760),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet34-a": (21_623_848, 3_644_493_824),
    "resnet34-c": (22_716_840, 3_830_747_136),
    "plain34": (21_623_848, 3_644_493_824),
    "resnet50": (25_557_032, 3_857_973_248),
    "resnet50@torchvision": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_570_194_432),
    "resnet101@torchvision": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_282_415_616),
    "resnet152@torchvision": (60_192_808, 11_513_626_624),
}


def reference(name: str) -> nn.Module:
    """Torchvision's; its strides change places where ours is on the first 1x1."""
    depth = name.removesuffix("@torchvision").removeprefix("resnet")
    theirs: nn.Module = getattr(torchvision.models, f"resnet{depth}")(num_classes=10)
    if "@" not in name and int(depth) >= 50:
        for block in theirs.modules():
            if isinstance(block, torchvision.models.resnet.Bottleneck):
                block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return theirs


def both(name: str) -> tuple[nn.Module, nn.Module]:
    theirs, ours = reference(name), models.create(name, Task(num_classes=10))
    randomise(theirs)
    transplant(theirs, ours)
    return ours.eval(), theirs.eval()


def test_the_table_of_counts_is_complete() -> None:
    assert set(COUNTS) == set(FAMILY.variants)


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    assert counts(FAMILY, name) == COUNTS[name]


@pytest.mark.parametrize(("name", "expansion"), [("resnet18", 1), ("plain34", 1), ("resnet50", 4)])
def test_sizes_are_those_of_table_1(name: str, expansion: int) -> None:
    paths = ("stem.conv", "stage1", "stage2", "stage3", "stage4", "head")
    model = on_meta(FAMILY, name)
    assert sizes(model, torch.zeros(1, 3, 224, 224, device="meta"), paths) == {
        "stem.conv": (64, 112, 112),
        "stage1": (64 * expansion, 56, 56),
        "stage2": (128 * expansion, 28, 28),
        "stage3": (256 * expansion, 14, 14),
        "stage4": (512 * expansion, 7, 7),
        "head": (1000,),
    }


@pytest.mark.parametrize(
    "name", [name for name in COUNTS if "-" not in name and "plain" not in name]
)
def test_outputs_equal_torchvisions_bit_for_bit(name: str) -> None:
    ours, theirs = both(name)
    with torch.inference_mode():
        for side in (64, 45, 1):
            x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(side))
            assert torch.equal(ours(x), theirs(x)), side


def test_outputs_equal_timms_bit_for_bit() -> None:
    theirs = timm.create_model("resnet50", num_classes=10)
    ours = models.create("resnet50@torchvision", Task(num_classes=10)).eval()
    randomise(theirs)
    transplant(theirs.eval(), ours)
    with torch.inference_mode():
        x = torch.randn(1, 3, 64, 64)
        assert torch.equal(ours(x), theirs(x))


def test_gradients_equal_torchvisions() -> None:
    ours, theirs = (net.train() for net in both("resnet18"))
    x = torch.randn(2, 3, 64, 64)
    for net in (ours, theirs):
        net(x).square().sum().backward()
    for (path, mine), yours in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert mine.grad is not None
        assert yours.grad is not None
        assert difference(mine.grad, yours.grad) < 1e-5, path


def test_option_a_adds_zero_maps_behind_every_other_pixel() -> None:
    torch.manual_seed(0)
    block: Any = models.create("resnet18-a").get_submodule("stage2.block1.shortcut")
    x = torch.randn(1, 64, 5, 5)
    padded = block(x)
    assert padded.shape == (1, 128, 3, 3)
    assert torch.equal(padded[:, :64], x[:, :, ::2, ::2])
    assert not padded[:, 64:].any()


def test_a_plain_network_is_a_residual_one_whose_shortcuts_give_nothing() -> None:
    class Nothing(nn.Module):
        def forward(self, _x: torch.Tensor) -> float:
            return 0.0

    plain, residual = (
        models.create(name, Task(num_classes=10)) for name in ("plain18", "resnet18-a")
    )
    randomise(plain)
    transplant(plain, residual)
    for block in residual.modules():
        if hasattr(block, "shortcut"):
            block.shortcut = Nothing()
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(plain.eval()(x), residual.eval()(x))


def test_weights_are_drawn_after_he_et_al() -> None:
    torch.manual_seed(0)
    layer: Any = models.create("resnet18").get_submodule("stage4.block2.branch.conv1")
    expected = (2 / (9 * 512)) ** 0.5
    # 2.4 million draws: the deviation is known to 5e-4, the mean to expected / 1500
    assert abs(layer.weight.std().item() / expected - 1) < 3e-3
    assert abs(layer.weight.mean().item()) < expected / 300


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet18-a", "resnet18-c", "plain18", "resnet50", "resnet50@torchvision"]
)
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=10, in_channels=1))
    assert untrained(model, torch.randn(3, 1, 33, 33)) == []


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="0x0 are too small; this network accepts 1x1"):
        adapt("resnet18", FAMILY, Task(image_size=0))


def test_v1_5_says_so() -> None:
    assert "3x3" in FAMILY.variants["resnet50@torchvision"].departures[0]
    assert isinstance(models.create("resnet18"), ResNet)
