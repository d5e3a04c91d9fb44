import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import torchvision
from torch import nn
from transplant import randomise, transplant

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.vgg import FAMILY, VGG, VGGSpec, convolutional

reference = torchvision.models.vgg
# The letter of torchvision's configuration for each of its eight networks.
LETTERS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}
THEIRS = [(f"{name}{end}", x) for end in ("@torchvision", "-bn") for name, x in LETTERS.items()]


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [
        # Table 2 prints 133, 133, 133, 134, 138 and 144 million
        ("vgg11", 132_863_336, 7_609_090_048),
        ("vgg11-lrn", 132_863_336, 7_609_090_048),
        ("vgg13", 133_047_848, 11_308_466_176),
        ("vgg16-c", 133_638_952, 11_770_888_192),
        ("vgg16", 138_357_544, 15_470_264_320),
        ("vgg19", 143_667_240, 19_632_062_464),
        ("vgg16@torchvision", 138_357_544, 15_470_264_320),
        ("vgg16-bn", 138_357_544 + 2 * 4224, 15_470_264_320),
    ],
)
def test_parameters_and_macs(name: str, parameters: int, macs: int) -> None:
    assert counts(FAMILY, name) == (parameters, macs)


def test_shares_of_column_d() -> None:
    weights = {
        path: p.numel()
        for path, p in on_meta(FAMILY, "vgg16").named_parameters()
        if path.endswith("weight")
    }
    convolutions = sum(n for path, n in weights.items() if path.startswith("convolutional"))
    assert (convolutions, sum(weights.values())) == (14_710_464, 138_344_128)


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("vgg11", 11),
        ("vgg11-lrn", 11),
        ("vgg13", 13),
        ("vgg16-c", 16),
        ("vgg16", 16),
        ("vgg19", 19),
    ],
)
def test_the_columns_have_as_many_layers_as_table_1_says(name: str, depth: int) -> None:
    assert sum(p.ndim > 1 for p in on_meta(FAMILY, name).parameters()) == depth


def test_sizes_of_column_d() -> None:
    rows = [f"convolutional.row{i}" for i in range(1, 6)]
    layers = [f"{row}.{last}" for row, last in zip(rows, (3, 3, 5, 5, 5), strict=True)]
    dense = ["dense.flatten", "dense.fc1", "dense.fc2", "dense.fc3"]
    x = torch.zeros(1, 3, 224, 224, device="meta")
    found = sizes(on_meta(FAMILY, "vgg16"), x, [*layers, *rows, *dense])
    assert [found[path] for path in layers] == [
        *((64, 224, 224), (128, 112, 112), (256, 56, 56), (512, 28, 28), (512, 14, 14))
    ]
    assert [found[path] for path in rows] == [
        *((64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7))
    ]
    assert [found[path] for path in dense] == [(25088,), (4096,), (4096,), (1000,)]


def test_response_normalisation_stands_once_with_alexnets_constants() -> None:
    model = on_meta(FAMILY, "vgg11-lrn")
    norms = [(p, m) for p, m in model.named_modules() if isinstance(m, nn.LocalResponseNorm)]
    ((path, norm),) = norms
    assert path == "convolutional.row1.2"  # after the ReLU, before the pool
    x = torch.rand(1, 7, 2, 2, dtype=torch.double) * 50
    first = x[:, 0] / (2 + 1e-4 * x[:, :3].square().sum(1)) ** 0.75
    middle = x[:, 3] / (2 + 1e-4 * x[:, 1:6].square().sum(1)) ** 0.75
    torch.testing.assert_close(norm(x)[:, 0], first, rtol=1e-12, atol=0)
    torch.testing.assert_close(norm(x)[:, 3], middle, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("name", "letter"), THEIRS)
def test_convolutions_equal_to_torchvision(name: str, letter: str) -> None:
    theirs = reference.make_layers(reference.cfgs[letter], name.endswith("bn")).eval()
    randomise(theirs)
    ours = convolutional(FAMILY.variants[name].spec).eval()
    transplant(theirs, ours)
    for size in (32, 45):
        x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize(("name", "letter"), THEIRS)
def test_state_is_in_torchvisions_order(name: str, letter: str) -> None:
    with torch.device("meta"):
        features = reference.make_layers(reference.cfgs[letter], name.endswith("bn"))
        theirs = reference.VGG(features, init_weights=False)
    ours = on_meta(FAMILY, name)
    assert [v.shape for v in ours.state_dict().values()] == [
        v.shape for v in theirs.state_dict().values()
    ]


@pytest.mark.slow
def test_whole_network_and_gradient_equal_to_torchvision() -> None:
    theirs = reference.vgg11_bn(num_classes=7, init_weights=False).eval()
    randomise(theirs)
    with torch.device("meta"):
        ours = models.create("vgg11-bn", Task(num_classes=7))
    ours.to_empty(device="cpu").eval()
    transplant(theirs, ours)
    for size in (32, 75, 224):
        x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            assert torch.equal(ours(x), theirs(x))
    x = torch.randn(1, 3, 32, 32)
    gradients = [
        torch.autograd.grad(model(x).square().sum(), next(model.parameters()))[0]
        for model in (ours, theirs)
    ]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("name", ["vgg11-lrn", "vgg16-c"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(image_size=32, num_classes=5, in_channels=2))
    assert untrained(model, torch.randn(2, 2, 32, 32)) == []


@pytest.mark.parametrize("name", FAMILY.variants)
def test_smallest_input_is_accepted_and_one_less_is_not(name: str) -> None:
    model = on_meta(FAMILY, name, Task(image_size=32, num_classes=5, in_channels=2))
    assert model(torch.zeros(1, 2, 32, 32, device="meta")).shape == (1, 5)
    with pytest.raises(UserError, match="accepts 32x32 and larger"):
        models.create(name, Task(image_size=31))


def test_torchvisions_forms_run_at_any_size() -> None:
    model = on_meta(FAMILY, "vgg16@torchvision")
    for size in (32, 97, 300):
        assert model(torch.zeros(1, 3, size, size, device="meta")).shape == (1, 1000)


def test_weights_are_drawn_after_glorot() -> None:
    torch.manual_seed(0)
    model = VGG(VGGSpec(kernels=((3,), (3,), (3, 3), (3, 3), (3, 3)), image_size=32))
    for path, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            area = layer.weight[0, 0].numel()
            fans = area * (layer.weight.shape[0] + layer.weight.shape[1])
            bound = (6 / fans) ** 0.5
            assert 0.98 * bound < layer.weight.abs().max() <= bound, path
            assert not layer.bias.any()


def test_weights_of_torchvisions_forms_are_drawn_as_theirs() -> None:
    torch.manual_seed(0)
    for layer in models.create("vgg11@torchvision").modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_out = 9 * layer.weight.shape[0]
            expected = (2 / fan_out) ** 0.5 if isinstance(layer, nn.Conv2d) else 0.01
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
            assert not layer.bias.any()
