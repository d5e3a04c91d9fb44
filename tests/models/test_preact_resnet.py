import pytest
import torch
import torch.nn.functional as F
from by_hand import Weights
from contract import counts, on_meta, sizes, untrained
from references import timm
from torch import Tensor, nn
from transplant import difference, randomise

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.preact_resnet import FAMILY, PreActResNet, PreActSpec

# 1.7 million for both CIFAR networks of some hundred layers, 10.2 million for 1001.
COUNTS = {
    "preact-resnet110-cifar": (1_727_962, 252_887_680),
    "preact-resnet164-cifar": (1_703_258, 244_500_992),
    "preact-resnet1001-cifar": (10_327_706, 1_487_849_984),
    "preact-resnet200": (64_666_152, 14_776_270_848),
}


def by_hand(model: nn.Module, x: Tensor, spec: PreActSpec) -> Tensor:
    """Written after the code that the authors published, 110 layers after the paper."""
    weights = Weights(model)
    x = weights.conv(x)
    for stage, (c_out, depth) in enumerate(zip(spec.c_outs, spec.depths, strict=True)):
        for unit in range(depth):
            stride = 2 if stage and not unit else 1
            active = weights.norm(x).relu()
            both = unit == 0  # paths start from the activated maps
            carried = active if both else x
            x = weights.conv(active, stride)
            x = weights.conv(weights.norm(x).relu())
            if spec.kind == "bottleneck":
                x = weights.conv(weights.norm(x).relu())
                carried = weights.conv(carried, stride) if both else carried
            else:
                carried = carried[:, :, ::stride, ::stride]
                carried = F.pad(carried, (0, 0, 0, 0, 0, c_out - carried.shape[1]))
            x = carried + x
    return weights.dense(weights.norm(x).relu())


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name: str) -> None:
    assert counts(FAMILY, name) == COUNTS[name]


def test_the_weights_alone_of_1001_layers_are_the_printed_10_2_million() -> None:
    model = on_meta(FAMILY, "preact-resnet1001-cifar")
    weights = sum(p.numel() for p in model.parameters() if p.ndim > 1)
    assert weights == 10_178_480


@pytest.mark.parametrize(
    ("name", "layers"), [("110-cifar", 110), ("164-cifar", 164), ("1001-cifar", 1001), ("200", 200)]
)
def test_every_variant_has_the_layers_of_its_name(name: str, layers: int) -> None:
    model = on_meta(FAMILY, f"preact-resnet{name}")
    found = [path for path, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len([path for path in found if "shortcut" not in path]) == layers


def test_sizes() -> None:
    stages = ("stage1", "stage2", "stage3")
    cifar = on_meta(FAMILY, "preact-resnet164-cifar")
    assert list(sizes(cifar, torch.zeros(1, 3, 32, 32, device="meta"), stages).values()) == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
    ]
    imagenet = on_meta(FAMILY, "preact-resnet200")
    x = torch.zeros(1, 3, 224, 224, device="meta")
    assert list(sizes(imagenet, x, (*stages, "stage4")).values()) == [
        (256, 56, 56),
        (512, 28, 28),
        (1024, 14, 14),
        (2048, 7, 7),
    ]


@pytest.mark.parametrize("kind", ["basic", "bottleneck"])
def test_outputs_equal_the_networks_written_out(kind: str) -> None:
    spec = PreActSpec(kind=kind, widths=(16, 32, 64), depths=(3, 3, 3))
    model = PreActResNet(spec).double().eval()
    randomise(model)
    with torch.inference_mode():
        for side in (32, 13, 1):
            x = torch.randn(2, 3, side, side, dtype=torch.float64)
            expected = by_hand(model, x, spec)
            assert (model(x) - expected).abs().max() <= 1e-12 * expected.abs().max()


def carried_over(theirs: nn.Module, ours: nn.Module) -> None:
    """Timm's shortcut stands before the rest of its unit, ours behind; its dense layer is 1x1."""
    values: list[Tensor] = []
    shortcut: list[Tensor] = []
    for key, value in theirs.state_dict().items():
        if "downsample" in key:
            shortcut = [value]
            continue
        values.append(value.flatten(1) if key == "head.fc.weight" else value)
        if key.endswith("conv3.weight"):
            values += shortcut
            shortcut = []
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))


def test_outputs_of_200_layers_equal_timms() -> None:
    """Timm norms behind the first max pool, which with gains above zero is the same."""
    v2 = timm.models.resnetv2
    layers = timm.layers
    theirs = v2.ResNetV2(
        [3, 24, 36, 3],
        num_classes=10,
        norm_layer=layers.BatchNormAct2d,
        conv_layer=layers.create_conv2d,
    )
    for block in theirs.modules():
        if isinstance(block, v2.PreActBottleneck):  # theirs has the stride on the 3x3
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    ours = models.create("preact-resnet200", Task(num_classes=10)).eval()
    randomise(theirs)
    carried_over(theirs.eval(), ours)
    with torch.inference_mode():
        for side in (64, 1):
            x = torch.randn(1, 3, side, side)
            assert difference(ours(x), theirs(x)) <= 1e-5


@pytest.mark.parametrize("name", ["preact-resnet110-cifar", "preact-resnet164-cifar"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 8, 8)) == []


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create("preact-resnet164-cifar", Task(image_size=0))
