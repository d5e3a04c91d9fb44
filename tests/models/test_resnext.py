import pytest
import torch
import torch.nn.functional as F
from contract import counts, on_meta, sizes, untrained
from references import timm, torchvision
from torch import nn
from transplant import difference, randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.layers.residual import bottleneck
from convatlas.models.family import Task
from convatlas.models.resnext import FAMILY

# Table 1 prints 25.0 million and 4.2e9, section 5.3 prints 34.4 and 68.1 million.
COUNTS = {
    "resnext50": (25_028_904, 4_230_479_872),
    "resnext50-2x40d": (25_425_000, 4_124_508_160),
    "resnext50-4x24d": (25_292_968, 4_159_832_064),
    "resnext50-8x14d": (25_603_016, 4_267_409_408),
    "resnext101": (44_177_704, 7_969_996_800),
    "resnext101-2x64d": (84_198_184, 15_123_087_360),
    "resnext101-64x4d": (83_455_272, 15_460_270_080),
    "resnext101-32x8d": (88_791_336, 16_414_015_488),
    "resnext29-8x64d-cifar": (34_426_698, 5_387_266_048),
    "resnext29-16x64d-cifar": (68_155_210, 10_688_866_304),
}
TORCHVISION = {
    "resnext50": "resnext50_32x4d",
    "resnext101-32x8d": "resnext101_32x8d",
    "resnext101-64x4d": "resnext101_64x4d",
}


def agree(name: str, theirs: nn.Module) -> None:
    ours = models.create(name, Task(num_classes=10)).eval()
    randomise(theirs)
    transplant(theirs.eval(), ours)
    with torch.inference_mode():
        for side in (64, 45, 1):
            x = torch.randn(1, 3, side, side)
            assert torch.equal(ours(x), theirs(x)), side


def test_the_table_of_counts_is_complete() -> None:
    assert set(COUNTS) == set(FAMILY.variants)


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    assert counts(FAMILY, name) == COUNTS[name]


def test_sizes_are_those_of_table_1() -> None:
    block = ("branch.conv1", "branch.conv2", "branch.conv3")
    paths = [f"stage{stage}.block2.{conv}" for stage in (1, 2, 3, 4) for conv in block]
    seen = sizes(on_meta(FAMILY, "resnext50"), torch.zeros(1, 3, 224, 224, device="meta"), paths)
    assert list(seen.values()) == [
        *((128, 56, 56), (128, 56, 56), (256, 56, 56)),
        *((256, 28, 28), (256, 28, 28), (512, 28, 28)),
        *((512, 14, 14), (512, 14, 14), (1024, 14, 14)),
        *((1024, 7, 7), (1024, 7, 7), (2048, 7, 7)),
    ]


def test_the_template_of_section_3() -> None:
    # Equation 4: C (256 d + 9 d d + 256 d) weights
    branch = bottleneck(256, 256, 1, width=128, groups=32)
    weights = sum(layer.weight.numel() for layer in branch if isinstance(layer, nn.Conv2d))
    assert weights == 32 * (256 * 4 + 9 * 4 * 4 + 256 * 4) == 70_144


def test_grouped_convolution_is_the_sum_of_paths_of_figure_3a() -> None:
    torch.manual_seed(0)
    block = models.create("resnext50").get_submodule("stage1.block2").double().eval()
    randomise(block)
    state = {key.removeprefix("branch."): value for key, value in block.state_dict().items()}

    def normed(y: torch.Tensor, number: int, maps: slice) -> torch.Tensor:
        keys = (f"norm{number}.{k}" for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(y, *(state[key][maps] for key in keys))

    x = torch.randn(1, 256, 6, 6, dtype=torch.float64)
    total = torch.zeros_like(x)
    for path in range(32):
        maps = slice(4 * path, 4 * path + 4)
        y = normed(F.conv2d(x, state["conv1.weight"][maps]), 1, maps).relu()
        y = normed(F.conv2d(y, state["conv2.weight"][maps], padding=1), 2, maps).relu()
        total += F.conv2d(y, state["conv3.weight"][:, maps])
    expected = (x + normed(total, 3, slice(None))).relu()
    torch.testing.assert_close(block(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "theirs"), TORCHVISION.items())
def test_outputs_equal_torchvisions_bit_for_bit(name: str, theirs: str) -> None:
    agree(name, getattr(torchvision.models, theirs)(num_classes=10))


def test_outputs_equal_timms_bit_for_bit() -> None:
    agree("resnext101", timm.create_model("resnext101_32x4d", num_classes=10))


def test_gradients_equal_torchvisions() -> None:
    theirs = torchvision.models.resnext50_32x4d(num_classes=10)
    ours = models.create("resnext50", Task(num_classes=10))
    randomise(theirs)
    transplant(theirs, ours)
    x = torch.randn(2, 3, 48, 48)
    for net in (ours, theirs):
        net(x).square().sum().backward()
    for (path, mine), yours in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert mine.grad is not None
        assert yours.grad is not None
        assert difference(mine.grad, yours.grad) < 1e-5, path


@pytest.mark.parametrize("name", ["resnext50", "resnext29-8x64d-cifar"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(3, 1, 17, 17)) == []


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create("resnext50", Task(image_size=0))
