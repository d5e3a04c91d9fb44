import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import timm
from torch import nn
from transplant import difference, randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.layers.eca import ECA
from convatlas.models.eca import FAMILY
from convatlas.models.family import Task

# Parameters; the paper prints them in units of 2^20, and 57.41 for what is 57.40.
PRINTED = {18: 11.15, 34: 20.79, 50: 24.37, 101: 42.49, 152: 57.40}
COUNTS = {
    "eca-resnet18": 11_689_512 + 36,
    "eca-resnet34": 21_797_672 + 74,
    "eca-resnet50": 25_557_032 + 86,
    "eca-resnet50@authors": 25_557_032 + 80,  # the abstract's number
    "eca-resnet101": 44_549_160 + 171,
    "eca-resnet101@authors": 44_549_160 + 157,
    "eca-resnet152": 60_192_808 + 256,
    "eca-resnet152@authors": 60_192_808 + 234,
}
CONVOLUTIONS = {  # multiply-adds of the network without attention, at 224
    18: 1_814_073_344,
    34: 3_663_761_408,
    50: 4_089_184_256,
    101: 7_801_405_440,
    152: 11_513_626_624,
}
BLOCKS = {
    "eca-resnet18": (timm.models.resnet.BasicBlock, [2, 2, 2, 2]),
    "eca-resnet34": (timm.models.resnet.BasicBlock, [3, 4, 6, 3]),
    "eca-resnet50": (timm.models.resnet.Bottleneck, [3, 4, 6, 3]),
    "eca-resnet101": (timm.models.resnet.Bottleneck, [3, 4, 23, 3]),
    "eca-resnet152": (timm.models.resnet.Bottleneck, [3, 8, 36, 3]),
}


def depth(name: str) -> int:
    return int(name.split("@")[0].removeprefix("eca-resnet"))


def along(name: str) -> int:
    """Multiply-adds of all attention layers, k for each map."""
    layers = [m for m in on_meta(FAMILY, name).named_modules() if isinstance(m[1], ECA)]
    kind = FAMILY.variants[name].spec.kind
    widest = {"basic": 32, "bottleneck": 128}[kind]
    return sum(m.conv.kernel_size[0] * widest * 2 ** int(path[5]) for path, m in layers)


def both(name: str) -> tuple[nn.Module, nn.Module]:
    block, depths = BLOCKS[name]
    attention = {"attn_layer": "eca"}
    theirs = timm.models.resnet.ResNet(block, depths, num_classes=10, block_args=attention)
    ours = models.create(name, Task(num_classes=10))
    randomise(theirs)
    transplant(theirs, ours)
    return ours.eval(), theirs.eval()


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    parameters, macs = counts(FAMILY, name)
    assert parameters == COUNTS[name]
    assert round(parameters / 2**20, 2) == PRINTED[depth(name)]
    assert macs - CONVOLUTIONS[depth(name)] in (0, along(name))
    assert set(COUNTS) == set(FAMILY.variants)


def test_kernels_stage_by_stage() -> None:
    def kernels(name: str) -> list[int]:
        model = on_meta(FAMILY, name)
        paths = [f"stage{stage}.block1.branch.eca.conv.weight" for stage in (1, 2, 3, 4)]
        return [model.get_parameter(path).shape[2] for path in paths]

    assert kernels("eca-resnet18") == [3, 5, 5, 5]
    assert kernels("eca-resnet50") == [5, 5, 5, 7]
    assert kernels("eca-resnet50@authors") == [3, 5, 5, 7]
    assert kernels("eca-resnet152@authors") == [3, 3, 5, 7]


def test_sizes() -> None:
    model = on_meta(FAMILY, "eca-resnet50")
    x = torch.zeros(1, 3, 224, 224, device="meta")
    assert sizes(model, x, ("stage1", "stage2", "stage4", "stage3.block2.branch.eca.conv")) == {
        "stage1": (256, 56, 56),
        "stage2": (512, 28, 28),
        "stage3.block2.branch.eca.conv": (1, 1024),
        "stage4": (2048, 7, 7),
    }


@pytest.mark.parametrize("name", BLOCKS)
def test_outputs_equal_timms_bit_for_bit(name: str) -> None:
    ours, theirs = both(name)
    with torch.inference_mode():
        for side in (64, 45, 1):
            x = torch.randn(1, 3, side, side)
            assert torch.equal(ours(x), theirs(x)), side


def test_gradients_equal_timms() -> None:
    ours, theirs = (net.train() for net in both("eca-resnet18"))
    x = torch.randn(2, 3, 64, 64)
    for net in (ours, theirs):
        net(x).square().sum().backward()
    for (path, mine), yours in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert mine.grad is not None
        assert yours.grad is not None
        assert difference(mine.grad, yours.grad) < 1e-5, path


@pytest.mark.parametrize("name", ["eca-resnet18", "eca-resnet50@authors"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 33, 33)) == []


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create("eca-resnet50", Task(image_size=0))
