import pytest
import torch
import torch.nn.functional as F
from contract import counts, on_meta, sizes, untrained
from torch import nn
from transplant import difference, randomise

from convatlas import models
from convatlas.errors import UserError
from convatlas.models import unet
from convatlas.models.family import Task
from convatlas.models.unet import FAMILY, UNet, UNetSpec


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same network with a sixteenth of the maps, which is quick."""
    monkeypatch.setattr(unet, "MAPS", (4, 8, 16, 32, 64))


def test_parameters_layers_and_macs() -> None:
    # Of the multiply-adds 5,631,377,408 are the transposed convolutions': four for each link and
    # pixel below, which is 28, 52, 100 and 196 squared.
    assert counts(FAMILY, "unet") == (31_030_658, 150_428_424_448)
    modules = on_meta(FAMILY, "unet").modules()
    assert sum(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in modules) == 23  # section 2
    assert counts(FAMILY, "unet-padded")[0] == 31_030_658


def test_sizes_of_figure_1() -> None:
    model = on_meta(FAMILY, "unet")
    first = ["contracting.0.0", *(f"contracting.{i}.1" for i in range(1, 5))]
    second = ["contracting.0.2", *(f"contracting.{i}.3" for i in range(1, 5))]
    up, expanding = ([f"{name}.{i}" for i in range(4)] for name in ("up", "expanding"))
    x = torch.zeros(1, 1, 572, 572, device="meta")
    found = sizes(model, x, [*first, *second, *up, *expanding, "output"])
    assert [found[p] for p in first] == [
        *((64, 570, 570), (128, 282, 282), (256, 138, 138), (512, 66, 66), (1024, 30, 30))
    ]
    assert [found[p] for p in second] == [
        *((64, 568, 568), (128, 280, 280), (256, 136, 136), (512, 64, 64), (1024, 28, 28))
    ]
    assert [found[p] for p in up] == [
        *((512, 56, 56), (256, 104, 104), (128, 200, 200), (64, 392, 392))
    ]
    assert [found[p] for p in expanding] == [
        *((512, 52, 52), (256, 100, 100), (128, 196, 196), (64, 388, 388))
    ]
    assert found["output"] == (2, 388, 388)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("padded", "height", "width"), [(False, 188, 220), (True, 16, 48)])
def test_equal_to_the_arrows_of_figure_1_one_by_one(padded: bool, height: int, width: int) -> None:
    model = UNet(UNetSpec(padded=padded, num_classes=3, image_size=height)).eval()
    randomise(model)
    w = {key: value.double() for key, value in model.state_dict().items()}
    model.double()
    padding = int(padded)

    def twice(x: torch.Tensor, path: str, first: int) -> torch.Tensor:
        for i in (first, first + 2):
            weight, bias = w[f"{path}.{i}.weight"], w[f"{path}.{i}.bias"]
            x = F.conv2d(x, weight, bias, padding=padding).clamp(min=0)
        return x

    x = torch.randn(1, 1, height, width).double()
    y = twice(x, "contracting.0", 0)
    kept = [y]
    for i in range(1, 5):
        y = twice(F.max_pool2d(y, 2), f"contracting.{i}", 1)
        kept.append(y)
    for i, border in enumerate((4, 16, 40, 88)):  # what the copies in Figure 1 lose on each side
        weight, bias = w[f"up.{i}.weight"], w[f"up.{i}.bias"]
        # Every pixel becomes a square of four.
        n, _, h, v = y.shape
        raised = torch.einsum("nchv,cdab->ndhavb", y, weight).reshape(n, -1, 2 * h, 2 * v)
        copy = kept[3 - i]
        copy = copy if padded else copy[:, :, border:-border, border:-border]
        y = twice(torch.cat((copy, raised + bias[:, None, None]), 1), f"expanding.{i}", 0)
    y = F.conv2d(y, w["output.weight"], w["output.bias"])
    assert y.shape == (1, 3, height - 184 * (not padded), width - 184 * (not padded))
    with torch.no_grad():
        assert difference(model(x), y) < 1e-12


def test_dropout_ends_the_contracting_path() -> None:
    model = on_meta(FAMILY, "unet", Task(dropout=0.3))
    dropped = {p: m.p for p, m in model.named_modules() if isinstance(m, nn.Dropout)}
    assert dropped == {"contracting.3.5": 0.3, "contracting.4.5": 0.3}


def test_weights_are_drawn_after_section_3() -> None:
    torch.manual_seed(0)
    for layer in models.create("unet").modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            per_link = 9 if layer.kernel_size == (3, 3) else 1
            expected = (2 / (per_link * layer.in_channels)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.1)
            assert not layer.bias.any()


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("name", "size"), [("unet", 188), ("unet-padded", 16)])
def test_every_parameter_is_trained(name: str, size: int) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(image_size=size, in_channels=3, num_classes=4))
    assert untrained(model, torch.randn(2, 3, size, size)) == []


@pytest.mark.parametrize(
    ("name", "size", "nearest"),
    [
        ("unet", 187, "accepts: 188 "),
        ("unet", 0, "accepts: 188 "),
        ("unet", 189, "accepts: 188 or 204 "),
        ("unet", 570, "accepts: 556 or 572 "),
        ("unet-padded", 15, "accepts: 16 "),
        ("unet-padded", 572, "accepts: 560 or 576 "),
    ],
)
def test_sizes_that_cannot_be_halved_are_refused(name: str, size: int, nearest: str) -> None:
    with pytest.raises(UserError, match=nearest):
        models.create(name, Task(image_size=size))


@pytest.mark.parametrize(
    ("name", "size", "out"), [("unet", 188, 4), ("unet", 204, 20), ("unet-padded", 16, 16)]
)
def test_smallest_input(name: str, size: int, out: int) -> None:
    model = on_meta(FAMILY, name, Task(image_size=size))
    assert model(torch.zeros(1, 1, size, size, device="meta")).shape == (1, 2, out, out)
