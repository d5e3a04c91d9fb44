import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import timm
from torch import nn
from transplant import difference, randomise

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.cbam import FAMILY
from convatlas.models.family import Task

# Table 4: millions of parameters and multiply-adds in 1e9 as printed, then counted.
COUNTS = {
    "cbam-resnet18": (11.78, 1.815, 11_779_392, 1_815_063_764),
    "cbam-resnet34": (21.96, 3.665, 21_960_468, 3_665_434_742),
    "cbam-resnet50": (28.09, 3.864, 28_089_624, 3_864_362_102),
    "cbam-resnet101": (49.33, 7.581, 49_330_172, 7_581_366_270),
}
ResNet = timm.models.resnet.ResNet
BLOCKS = {
    "cbam-resnet18": (timm.models.resnet.BasicBlock, [2, 2, 2, 2]),
    "cbam-resnet34": (timm.models.resnet.BasicBlock, [3, 4, 6, 3]),
    "cbam-resnet50": (timm.models.resnet.Bottleneck, [3, 4, 6, 3]),
    "cbam-resnet101": (timm.models.resnet.Bottleneck, [3, 4, 23, 3]),
}


def both(name: str) -> tuple[nn.Module, nn.Module]:
    """Ours with timm's weights: its dense layers have no biases, so ours are zero."""
    block, depths = BLOCKS[name]
    attention = {"attn_layer": timm.layers.cbam.CbamModule}
    theirs = ResNet(block, depths, num_classes=10, block_args=attention)
    for part in theirs.modules():
        if isinstance(part, timm.models.resnet.Bottleneck):  # theirs has the stride on the 3x3
            part.conv1.stride, part.conv2.stride = part.conv2.stride, part.conv1.stride
    randomise(theirs)
    ours = models.create(name, Task(num_classes=10))
    biases = {key: torch.zeros_like(value) for key, value in ours.state_dict().items()}
    given = iter(theirs.state_dict().values())
    for key in biases:
        if not (key.endswith("bias") and ".mlp." in key):
            biases[key] = next(given)
    assert next(given, None) is None
    ours.load_state_dict(biases)
    return ours.eval(), theirs.eval()


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    parameters, macs = counts(FAMILY, name)
    assert (round(parameters / 1e6, 2), round(macs / 1e9, 3), parameters, macs) == COUNTS[name]
    assert set(COUNTS) == set(FAMILY.variants)


def test_sizes() -> None:
    model = on_meta(FAMILY, "cbam-resnet50")
    x = torch.zeros(1, 3, 224, 224, device="meta")
    paths = ("stage1", "stage2", "stage4", "stage3.block2.branch.cbam.spatial.conv")
    assert sizes(model, x, paths) == {
        "stage1": (256, 56, 56),
        "stage2": (512, 28, 28),
        "stage3.block2.branch.cbam.spatial.conv": (1, 14, 14),
        "stage4": (2048, 7, 7),
    }


@pytest.mark.parametrize("name", COUNTS)
def test_outputs_equal_timms(name: str) -> None:
    ours, theirs = both(name)
    with torch.inference_mode():
        for side in (64, 45, 1):
            x = torch.randn(1, 3, side, side)
            assert difference(ours(x), theirs(x)) <= 1e-5, side
        x = x.double()
        assert difference(ours.double()(x), theirs.double()(x)) <= 1e-12


def test_gradients_equal_timms() -> None:
    ours, theirs = (net.train().double() for net in both("cbam-resnet18"))
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    for net in (ours, theirs):
        net(x).square().sum().backward()
    mine = [p for key, p in ours.named_parameters() if not (".mlp." in key and "bias" in key)]
    for left, right in zip(mine, theirs.parameters(), strict=True):
        assert left.grad is not None
        assert right.grad is not None
        assert difference(left.grad, right.grad) < 1e-9


@pytest.mark.parametrize("name", ["cbam-resnet18", "cbam-resnet50"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 65, 65)) == []


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create("cbam-resnet50", Task(image_size=0))
