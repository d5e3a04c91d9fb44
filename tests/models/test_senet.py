import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import timm
from torch import nn
from transplant import difference, randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.senet import FAMILY

# Table 2 prints 3.87, 7.60 and 11.32e9, 4.25 and 8.00e9; Table 10 45.7, 35.7, 30.7, 28.1, 26.9e6.
COUNTS = {
    "se-resnet50": (28_088_024, 3_860_488_192),
    "se-resnet50@timm": (28_088_024, 4_091_699_200),
    "se-resnet101": (49_326_872, 7_574_937_600),
    "se-resnet101@timm": (49_326_872, 7_806_148_608),
    "se-resnet152": (66_821_848, 11_288_993_792),
    "se-resnet152@timm": (66_821_848, 11_520_204_800),
    "se-resnet50-r2": (45_676_584, 3_878_092_800),
    "se-resnet50-r4": (35_616_808, 3_868_033_024),
    "se-resnet50-r8": (30_586_920, 3_863_003_136),
    "se-resnet50-r16": (28_071_976, 3_860_488_192),
    "se-resnet50-r32": (26_814_504, 3_859_230_720),
    "se-resnext50": (27_559_896, 4_232_994_816),
    "se-resnext50@timm": (27_559_896, 4_232_994_816),
    "se-resnext101": (48_955_416, 7_974_739_968),
    "se-resnext101@timm": (48_955_416, 7_974_739_968),
    "senet154": (115_088_984, 20_688_363_520),
}
TIMM = {  # the legacy ones carry the authors' own weights
    "se-resnet50": "legacy_seresnet50",
    "se-resnet101": "legacy_seresnet101",
    "se-resnet152": "legacy_seresnet152",
    "se-resnext50": "legacy_seresnext50_32x4d",
    "se-resnext101": "legacy_seresnext101_32x4d",
    "senet154": "legacy_senet154",
    "se-resnet50@timm": "seresnet50",
    "se-resnet101@timm": "seresnet101",
    "se-resnet152@timm": "seresnet152",
    "se-resnext50@timm": "seresnext50_32x4d",
    "se-resnext101@timm": "seresnext101_32x4d",
}


def test_the_table_of_counts_is_complete() -> None:
    assert set(COUNTS) == set(FAMILY.variants)


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    assert counts(FAMILY, name) == COUNTS[name]


@pytest.mark.parametrize("name", ["se-resnet50", "se-resnext50", "senet154"])
def test_sizes_are_those_of_table_1(name: str) -> None:
    model = on_meta(FAMILY, name)
    x = torch.zeros(1, 3, 224, 224, device="meta")
    paths = ("stem", "stage1", "stage2", "stage3", "stage4", "stage2.block1.branch.se.squeeze")
    assert sizes(model, x, paths) == {
        "stem": (128 if name == "senet154" else 64, 56, 56),
        "stage1": (256, 56, 56),
        "stage2": (512, 28, 28),
        "stage3": (1024, 14, 14),
        "stage4": (2048, 7, 7),
        "stage2.block1.branch.se.squeeze": (512, 1, 1),
    }


def test_senet154_has_154_layers() -> None:
    model = on_meta(FAMILY, "senet154")
    found = [
        path
        for path, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and ".se." not in path
    ]
    # three convolutions first, 50 blocks of three, one dense layer
    assert len([path for path in found if "shortcut" not in path]) == 154


@pytest.mark.parametrize(("name", "theirs"), TIMM.items())
def test_outputs_equal_timms_bit_for_bit(name: str, theirs: str) -> None:
    reference = timm.create_model(theirs, num_classes=10)
    ours = models.create(name, Task(num_classes=10)).eval()
    randomise(reference)
    transplant(reference.eval(), ours)
    with torch.inference_mode():
        for side in (64, 45, 1 if "@" in name else 3):
            x = torch.randn(1, 3, side, side)
            assert torch.equal(ours(x), reference(x)), side


def test_gradients_equal_timms() -> None:
    reference = timm.create_model("legacy_seresnet50", num_classes=10, drop_rate=0.0)
    ours = models.create("se-resnet50", Task(num_classes=10))
    randomise(reference)
    transplant(reference, ours)
    x = torch.randn(2, 3, 48, 48, dtype=torch.float64)
    for net in (ours.double(), reference.double()):
        net(x).square().sum().backward()
    for (path, mine), yours in zip(ours.named_parameters(), reference.parameters(), strict=True):
        assert mine.grad is not None
        assert yours.grad is not None
        assert difference(mine.grad, yours.grad) < 1e-9, path


@pytest.mark.parametrize("name", ["se-resnet50", "se-resnet50-r32", "se-resnext50"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 33, 33)) == []


def test_every_parameter_of_senet154_is_trained() -> None:
    torch.manual_seed(0)
    model = models.create("senet154", Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 17, 17)) == []
    assert [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)] == [0.2]


def test_the_smallest_picture() -> None:
    model = models.create("se-resnet50", Task(image_size=3)).eval()
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 3, 3)).shape == (1, 1000)
    with pytest.raises(UserError, match="2x2 are too small; this network accepts 3x3"):
        models.create("se-resnet50", Task(image_size=2))
    with pytest.raises(UserError, match="accepts 1x1"):
        models.create("se-resnet50@timm", Task(image_size=0))


def test_timms_forms_say_how_they_differ() -> None:
    departures = FAMILY.variants["se-resnet50@timm"].departures
    assert len(departures) == 2
    assert len(FAMILY.variants["se-resnext50@timm"].departures) == 1
