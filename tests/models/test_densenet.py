import re

import pytest
import torch
from layerwise import Layer, layers
from references import torchvision
from torch import Tensor, nn
from transplant import difference, randomise, transplant

from convatlas.errors import UserError
from convatlas.models.densenet import FAMILY, DenseNet, DenseNetSpec
from convatlas.models.family import Task, adapt

NAMES = tuple(FAMILY.variants)
TORCHVISION = ("densenet121", "densenet161", "densenet169", "densenet201")

# Parameters and multiply-adds: torchvision's networks and our own earlier count of Tables 1 and 2.
COUNTS = {
    "densenet121": (7_978_856, 2_834_161_664),
    "densenet161": (28_681_000, 7_727_907_072),
    "densenet169": (14_149_480, 3_359_843_328),
    "densenet201": (20_013_928, 4_291_365_888),
    "densenet264": (33_337_704, 5_751_653_376),
    "densenet-40-12-cifar": (1_019_722, None),
    "densenet-100-12-cifar": (6_979_642, None),
    "densenet-100-24-cifar": (27_249_082, None),
    "densenet-bc-100-12-cifar": (769_162, None),
    "densenet-bc-250-24-cifar": (15_324_406, None),
    "densenet-bc-190-40-cifar": (25_624_430, None),
}
# Parameters as printed in Table 2 and, for DenseNet-201, in section 4.4; millions.
PRINTED = {
    "densenet201": "20",
    "densenet-40-12-cifar": "1.0",
    "densenet-100-12-cifar": "7.0",
    "densenet-100-24-cifar": "27.2",
    "densenet-bc-100-12-cifar": "0.8",
    "densenet-bc-250-24-cifar": "15.3",
    "densenet-bc-190-40-cifar": "25.6",
}


def create(name: str, task: Task = Task()) -> nn.Module:  # noqa: B008 - a frozen value
    return adapt(name, FAMILY, task).build()


def on_meta(name: str) -> tuple[Layer, ...]:
    side = FAMILY.variants[name].spec.image_size
    with torch.device("meta"):
        return layers(create(name), torch.zeros(1, 3, side, side))


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_multiply_adds(name: str) -> None:
    rows = on_meta(name)
    count, macs = COUNTS[name]
    assert sum(row.parameters for row in rows) == count
    if macs is not None:
        assert sum(row.macs for row in rows) == macs
    if name in PRINTED:
        digits = len(PRINTED[name].partition(".")[2])
        assert f"{count / 1e6:.{digits}f}" == PRINTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_depth_in_the_name_counts_convolutions_and_the_dense_layer(name: str) -> None:
    weighted = [row for row in on_meta(name) if row.kind in {"Conv2d", "Linear"}]
    found = re.search(r"\d+", name)
    assert found is not None
    # the paper's own count of its deepest network, 2 (6 + 12 + 64 + 48) + 5, is one short
    assert len(weighted) == int(found.group()) + (name == "densenet264")


def sides_after(model: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    assert isinstance(model, DenseNet)
    sizes = {}
    for name, part in [*model.stem.named_children(), *model.blocks.named_children()]:
        x = part(x)
        sizes[name] = tuple(x.shape[1:])
    return sizes


def test_densenet121_has_the_sizes_of_table_1() -> None:
    with torch.device("meta"):
        sizes = sides_after(create("densenet121"), torch.zeros(1, 3, 224, 224))
    assert sizes["conv"] == (64, 112, 112)
    assert sizes["pool"] == (64, 56, 56)
    assert list(sizes.items())[4:] == [
        ("block1", (256, 56, 56)),
        ("transition1", (128, 28, 28)),
        ("block2", (512, 28, 28)),
        ("transition2", (256, 14, 14)),
        ("block3", (1024, 14, 14)),
        ("transition3", (512, 7, 7)),
        ("block4", (1024, 7, 7)),
    ]


@pytest.mark.parametrize(
    ("name", "maps"),
    [
        ("densenet-40-12-cifar", (16, 160, 304, 448)),
        ("densenet-bc-100-12-cifar", (24, 216, 300, 342)),
    ],
)
def test_cifar_forms_have_blocks_at_32_16_and_8(name: str, maps: tuple[int, ...]) -> None:
    # plain: 16 + 12 layers of 12, three times; BC: 24 + 16 of 12 = 216, halved to 108, and so on
    with torch.device("meta"):
        sizes = sides_after(create(name), torch.zeros(1, 3, 32, 32))
    blocks = ("conv", "block1", "block2", "block3")
    assert [sizes[block] for block in blocks] == [
        (width, side, side) for width, side in zip(maps, (32, 32, 16, 8), strict=True)
    ]


@pytest.fixture(params=TORCHVISION)
def pair(request: pytest.FixtureRequest) -> tuple[nn.Module, nn.Module]:
    """A network of torchvision's with random state, and ours with the same."""
    theirs = getattr(torchvision.models, request.param)(weights=None).eval()
    randomise(theirs)
    ours = create(request.param).eval()
    transplant(theirs, ours)
    return ours, theirs


def test_outputs_are_torchvisions_bit_for_bit(pair: tuple[nn.Module, nn.Module]) -> None:
    ours, theirs = pair
    torch.manual_seed(1)
    with torch.inference_mode():
        for height, width in [(64, 64), (75, 45), (29, 29)]:
            x = torch.randn(2, 3, height, width)
            assert torch.equal(ours(x), theirs(x)), (height, width)


def test_gradients_are_torchvisions() -> None:
    # 1e-9 relative, fp64: our concatenations are nested, so gradients are added in another order
    theirs = torchvision.models.densenet121(weights=None)
    randomise(theirs)
    ours = create("densenet121")
    transplant(theirs, ours)
    theirs, ours = theirs.double().train(), ours.double().train()
    torch.manual_seed(2)
    x = torch.randn(3, 3, 64, 64, dtype=torch.double)
    for model in (ours, theirs):
        model(x).logsumexp(1).sum().backward()
    pairs = zip(ours.parameters(), theirs.parameters(), strict=True)
    for mine, other in pairs:
        assert mine.grad is not None
        assert other.grad is not None
        assert difference(mine.grad, other.grad) < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_gradient_reaches_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    smallest = FAMILY.variants[name].spec.smallest
    model = create(name)
    model(torch.randn(4, 3, smallest, smallest)).square().sum().backward()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.abs().sum() > 0, path


def test_weights_are_drawn_after_he() -> None:
    # variance 2 / fan-in; standard deviation within 5 % over a layer's thousands of weights
    torch.manual_seed(0)
    for layer in create("densenet121").modules():
        if isinstance(layer, nn.Conv2d):
            deviation = (2 / layer.weight[0].numel()) ** 0.5
            assert layer.weight.std().item() == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("name", ["densenet121", "densenet-40-12-cifar"])
def test_dropout_follows_every_convolution_but_the_first_and_moves_no_key(name: str) -> None:
    with torch.device("meta"):
        dry, wet = create(name), create(name, Task(dropout=0.2))
    assert list(dry.state_dict()) == list(wet.state_dict())
    kinds = [type(m) for m in wet.modules() if isinstance(m, nn.Conv2d | nn.Dropout)]
    assert kinds[0] is nn.Conv2d
    assert kinds[1:] == [nn.Conv2d, nn.Dropout] * (len(kinds) // 2)
    assert not any(isinstance(m, nn.Dropout) for m in dry.modules())


@pytest.mark.parametrize(("name", "smallest"), [("densenet121", 29), ("densenet-40-12-cifar", 4)])
def test_smallest_input_is_accepted_and_one_less_is_not(name: str, smallest: int) -> None:
    model = create(name).eval()  # built for the published size
    assert model(torch.zeros(1, 3, smallest, smallest)).shape[0] == 1
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 3, smallest - 1, smallest - 1))
    create(name, Task(image_size=smallest))
    with pytest.raises(UserError, match=f"accepts {smallest}x{smallest} and larger"):
        create(name, Task(image_size=smallest - 1))


def test_transitions_round_the_compressed_width_down() -> None:
    # section 3: floor(theta m) maps
    spec = DenseNetSpec(depths=(1, 1), growth=5, compression=0.5)
    model = DenseNet(spec)
    assert model.blocks.get_submodule("transition1.conv").weight.shape[:2] == (7, 15)
