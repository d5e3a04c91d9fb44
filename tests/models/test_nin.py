import pytest
import torch
import torch.nn.functional as F
from contract import counts, on_meta, sizes, untrained
from torch import nn
from transplant import difference, randomise

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.nin import FAMILY


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [
        ("nin-cifar", 966_986, 222_486_528),
        ("nin-cifar@caffe", 966_986, 222_486_528),
        ("nin-imagenet", 7_595_176, 1_100_188_800),
    ],
)
def test_parameters_and_macs(name: str, parameters: int, macs: int) -> None:
    assert counts(FAMILY, name) == (parameters, macs)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("nin-cifar", [(96, 32, 32), (192, 16, 16), (10, 8, 8)]),
        # rounding up: Caffe's last pool is 6x6, which is the whole of its map only so
        ("nin-imagenet", [(96, 54, 54), (256, 27, 27), (384, 13, 13), (1000, 6, 6)]),
    ],
)
def test_sizes_of_the_mlpconv_layers(name: str, shapes: list[tuple[int, ...]]) -> None:
    model = on_meta(FAMILY, name)
    spec = FAMILY.variants[name].spec
    last_relu = [f"mlpconvs.mlpconv{i}.5" for i in range(1, len(shapes) + 1)]
    x = torch.zeros(1, 3, spec.image_size, spec.image_size, device="meta")
    assert list(sizes(model, x, last_relu).values()) == shapes


@pytest.mark.parametrize(
    ("name", "size"), [("nin-cifar", 32), ("nin-cifar", 19), ("nin-cifar@caffe", 19)]
)
def test_equal_to_the_operations_one_by_one(name: str, size: int) -> None:
    model = models.create(name).eval()
    randomise(model)
    model.double()
    w = list(model.parameters())
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1)).double()
    y = x
    for i, padding in zip(range(0, 18, 2), (2, 0, 0, 2, 0, 0, 1, 0, 0), strict=True):
        if i in (6, 12):
            # Rounding up: a window that sticks out has fewer values, its mean is over those.
            out = (0, 1 - y.shape[2] % 2) * 2
            if i == 12 and name.endswith("caffe"):
                inside = F.pad(torch.ones_like(y), out)
                y = F.avg_pool2d(F.pad(y, out), 3, 2) / F.avg_pool2d(inside, 3, 2)
            else:
                y = F.max_pool2d(F.pad(y, out, value=-1.0), 3, 2)
        y = F.conv2d(y, w[i], w[i + 1], padding=padding).clamp(min=0)
    with torch.no_grad():
        assert difference(model(x), y.mean((2, 3))) < 1e-12


def test_dropout_follows_all_layers_but_the_last_in_the_paper_and_one_in_caffes_imagenet() -> None:
    where = {
        name: [p for p, m in on_meta(FAMILY, name).named_modules() if isinstance(m, nn.Dropout)]
        for name in FAMILY.variants
    }
    assert where["nin-cifar"] == ["mlpconvs.mlpconv1.7", "mlpconvs.mlpconv2.7"]
    assert where["nin-imagenet"] == ["mlpconvs.mlpconv3.7"]


def test_weights_are_drawn_as_in_caffes_model() -> None:
    torch.manual_seed(0)
    convs = [m for m in models.create("nin-imagenet").modules() if isinstance(m, nn.Conv2d)]
    found = [conv.weight.std().item() for conv in convs]
    small = (0, 6, 11)
    expected = [0.01 if i in small else 0.05 for i in range(12)]
    assert found == pytest.approx(expected, rel=0.05)
    assert not any(conv.bias.any() for conv in convs)


def test_every_parameter_is_trained() -> None:
    torch.manual_seed(0)
    model = models.create("nin-cifar", Task(in_channels=1, num_classes=4))
    assert untrained(model, torch.rand(4, 1, 16, 16)) == []


@pytest.mark.parametrize(("name", "smallest"), [("nin-cifar", 4), ("nin-imagenet", 39)])
def test_smallest_input_is_accepted_and_one_less_is_not(name: str, smallest: int) -> None:
    model = models.create(name)
    assert model(torch.zeros(1, 3, smallest, smallest)).shape[0] == 1
    models.create(name, Task(image_size=smallest))
    with pytest.raises(UserError, match=f"accepts {smallest}x{smallest} and larger"):
        models.create(name, Task(image_size=smallest - 1))
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 3, smallest - 1, smallest - 1))
