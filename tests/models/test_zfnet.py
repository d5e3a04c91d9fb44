import pytest
import torch
import torch.nn.functional as F
from contract import counts, on_meta, sizes, untrained
from torch import Tensor, nn
from transplant import difference, randomise

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.zfnet import FAMILY


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [
        ("zfnet", 62_357_608, 1_168_032_896),
        ("zfnet-b", 107_627_624, 2_476_704_896),
    ],
)
def test_parameters_and_macs(name: str, parameters: int, macs: int) -> None:
    assert counts(FAMILY, name) == (parameters, macs)


def test_sizes_of_figure_3() -> None:
    found = sizes(
        on_meta(FAMILY, "zfnet"),
        torch.zeros(1, 3, 224, 224, device="meta"),
        [f"layer{i}.0" for i in range(1, 6)] + ["layer1.2", "layer2.2", "layer5.2"],
    )
    assert found == {
        "layer1.0": (96, 110, 110),
        "layer1.2": (96, 55, 55),
        "layer2.0": (256, 26, 26),
        "layer2.2": (256, 13, 13),
        "layer3.0": (384, 13, 13),
        "layer4.0": (384, 13, 13),
        "layer5.0": (256, 13, 13),
        "layer5.2": (256, 6, 6),
    }


def normalised(x: Tensor) -> Tensor:
    """The formula of Krizhevsky et al. 2012, section 3.3, map by map."""
    maps = x.shape[1]
    sums = [x[:, max(0, i - 2) : min(maps, i + 3)].square().sum(1) for i in range(maps)]
    return x / (2 + 1e-4 * torch.stack(sums, 1)) ** 0.75


def test_equal_to_the_operations_of_figure_3_one_by_one() -> None:
    model = models.create("zfnet", Task(image_size=53, num_classes=5)).eval()
    randomise(model)
    model.double()
    w = list(model.parameters())
    x = torch.randn(2, 3, 53, 53, generator=torch.Generator().manual_seed(1)).double() * 5
    y = F.max_pool2d(F.conv2d(x, w[0], w[1], 2, 1).clamp(min=0), 3, 2, 1)
    y = F.max_pool2d(F.conv2d(normalised(y), w[2], w[3], 2).clamp(min=0), 3, 2, 1)
    y = normalised(y)
    for i in (4, 6, 8):
        y = F.conv2d(y, w[i], w[i + 1], padding=1).clamp(min=0)
    y = F.max_pool2d(y, 3, 2).flatten(1)
    for i in (10, 12):
        y = (y @ w[i].T + w[i + 1]).clamp(min=0)
    with torch.no_grad():
        assert difference(model(x), y @ w[14].T + w[15]) < 1e-12


def test_every_parameter_is_trained() -> None:
    torch.manual_seed(0)
    model = models.create("zfnet", Task(image_size=53, num_classes=5, in_channels=2))
    assert untrained(model, torch.randn(2, 2, 53, 53)) == []


def test_weights_are_drawn_after_section_3() -> None:
    torch.manual_seed(0)
    for layer in models.create("zfnet", Task(image_size=53)).modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert layer.weight.std().item() == pytest.approx(0.01, rel=0.05)
            assert not layer.bias.any()


@pytest.mark.parametrize("name", FAMILY.variants)
def test_smallest_input_is_accepted_and_one_less_is_not(name: str) -> None:
    model = on_meta(FAMILY, name, Task(image_size=53, in_channels=2, num_classes=5))
    assert model(torch.zeros(1, 2, 53, 53, device="meta")).shape == (1, 5)
    with pytest.raises(UserError, match="accepts 53x53 and larger"):
        models.create(name, Task(image_size=52))
