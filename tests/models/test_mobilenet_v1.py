import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from layerwise import layers
from references import timm
from torch import nn
from transplant import randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.mobilenet_v1 import FAMILY, MobileNetV1, MobileNetV1Spec


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [
        # Tables 4, 6 and 7; the 4866 million printed for "-conv" are one too low
        ("mobilenet_v1", 4_231_976, 568_740_352),
        ("mobilenet_v1-0.75", 2_585_560, 325_400_448),
        ("mobilenet_v1-0.5", 1_331_592, 149_497_088),
        ("mobilenet_v1-0.25", 470_072, 41_030_272),
        ("mobilenet_v1-192", 4_231_976, 418_121_728),
        ("mobilenet_v1-160", 4_231_976, 290_675_200),
        ("mobilenet_v1-128", 4_231_976, 186_400_768),
        ("mobilenet_v1-conv", 29_294_088, 4_867_293_184),
        ("mobilenet_v1@timm", 4_231_976, 568_740_352),
    ],
)
def test_parameters_and_macs(name: str, parameters: int, macs: int) -> None:
    assert counts(FAMILY, name) == (parameters, macs)


def test_share_of_the_pointwise_convolutions() -> None:
    model = on_meta(FAMILY, "mobilenet_v1")
    pointwise = {
        path
        for path, m in model.named_modules()
        if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)
    }
    rows = layers(model, torch.zeros(1, 3, 224, 224, device="meta"))
    macs = sum(row.macs for row in rows if row.path in pointwise)
    assert len(pointwise) == 13
    assert 100 * macs / 568_740_352 == pytest.approx(94.86, abs=0.01)  # Table 2


def test_sizes_of_table_1() -> None:
    paths = ["stem", *(f"stages.stage{i}" for i in range(1, 6))]
    x = torch.zeros(1, 3, 224, 224, device="meta")
    assert list(sizes(on_meta(FAMILY, "mobilenet_v1"), x, paths).values()) == [
        *((32, 112, 112), (64, 112, 112), (128, 56, 56)),
        *((256, 28, 28), (512, 14, 14), (1024, 7, 7)),
    ]


@pytest.fixture(scope="module")
def pair() -> tuple[nn.Module, nn.Module]:
    theirs = timm.create_model("mobilenetv1_100").eval()
    randomise(theirs)
    ours = models.create("mobilenet_v1@timm").eval()
    transplant(theirs, ours)
    return ours, theirs


@pytest.mark.parametrize("size", [1, 45, 224])
def test_equal_to_timm(pair: tuple[nn.Module, nn.Module], size: int) -> None:
    ours, theirs = pair
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1)) * 3
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


def test_gradient_equal_to_timm(pair: tuple[nn.Module, nn.Module]) -> None:
    x = torch.randn(2, 3, 33, 33, generator=torch.Generator().manual_seed(1))
    ours, theirs = (
        torch.autograd.grad(model(x).square().sum(), next(model.parameters()))[0] for model in pair
    )
    assert torch.equal(ours, theirs)


def test_the_papers_form_does_not_stop_at_six(pair: tuple[nn.Module, nn.Module]) -> None:
    ours, _ = pair
    paper = models.create("mobilenet_v1").eval()
    paper.load_state_dict(ours.state_dict())
    x = torch.randn(1, 3, 64, 64) * 3
    with torch.no_grad():
        assert ours.stem(x).max() == 6
        assert torch.equal(paper.stem(x).clamp(max=6), ours.stem(x))
        assert paper.stem(x).max() > 6


@pytest.mark.parametrize("separable", [True, False])
def test_every_parameter_is_trained(separable: bool) -> None:
    torch.manual_seed(0)
    spec = MobileNetV1Spec(width=0.25, separable=separable, in_channels=1, num_classes=4)
    assert untrained(MobileNetV1(spec), torch.randn(3, 1, 40, 40)) == []


@pytest.mark.parametrize("name", FAMILY.variants)
def test_any_size_is_accepted_but_none(name: str) -> None:
    model = on_meta(FAMILY, name, Task(num_classes=4, in_channels=1))
    for size in (1, 7, 130):
        assert model(torch.zeros(1, 1, size, size, device="meta")).shape == (1, 4)
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create(name, Task(image_size=0))
