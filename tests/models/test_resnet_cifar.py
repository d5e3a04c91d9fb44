import pytest
import torch
import torch.nn.functional as F
from by_hand import Weights
from contract import counts, on_meta, sizes, untrained
from torch import Tensor, nn
from transplant import randomise

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task
from convatlas.models.resnet_cifar import FAMILY

# Table 6 prints 0.27, 0.46, 0.66, 0.85, 1.7 and 19.4 million parameters.
COUNTS = {
    20: (269_722, 40_551_040),
    32: (464_154, 68_862_592),
    44: (658_586, 97_174_144),
    56: (853_018, 125_485_696),
    110: (1_727_962, 252_887_680),
    1202: (19_421_274, 2_829_238_912),
}


def by_hand(model: nn.Module, x: Tensor, n: int, *, residual: bool) -> Tensor:
    weights = Weights(model)
    x = weights.norm(weights.conv(x)).relu()
    for stage in range(3):
        for block in range(n):
            stride = 2 if stage and not block else 1
            carried = x[:, :, ::2, ::2] if stride == 2 else x
            x = weights.norm(weights.conv(x, stride)).relu()
            x = weights.norm(weights.conv(x))
            if residual:  # zeros behind the maps that there are
                x = x + F.pad(carried, (0, 0, 0, 0, 0, x.shape[1] - carried.shape[1]))
            x = x.relu()
    return weights.dense(x)


@pytest.mark.parametrize("depth", COUNTS)
def test_parameters_and_multiply_adds(depth: int) -> None:
    assert counts(FAMILY, f"resnet{depth}-cifar") == COUNTS[depth]
    if depth < 1202:  # option A costs nothing
        assert counts(FAMILY, f"plain{depth}-cifar") == COUNTS[depth]


def test_every_variant_has_the_layers_of_its_name() -> None:
    for name in FAMILY.variants:
        convs = [
            layer
            for path, layer in on_meta(FAMILY, name).named_modules()
            if isinstance(layer, nn.Conv2d | nn.Linear)
        ]
        assert name.endswith(f"{len(convs)}-cifar")


@pytest.mark.parametrize("name", ["resnet20-cifar", "plain20-cifar"])
def test_sizes_are_those_of_section_4_2(name: str) -> None:
    model = on_meta(FAMILY, name)
    x = torch.zeros(1, 3, 32, 32, device="meta")
    assert sizes(model, x, ("stem", "stage1", "stage2", "stage3", "head")) == {
        "stem": (16, 32, 32),
        "stage1": (16, 32, 32),
        "stage2": (32, 16, 16),
        "stage3": (64, 8, 8),
        "head": (10,),
    }


@pytest.mark.parametrize("name", ["resnet20-cifar", "resnet44-cifar", "plain32-cifar"])
def test_outputs_equal_the_networks_written_out(name: str) -> None:
    blueprint = models.blueprint(name)
    model = blueprint.build().double().eval()
    randomise(model)
    with torch.inference_mode():
        for side in (32, 13, 1):
            x = torch.randn(2, 3, side, side, dtype=torch.float64)
            expected = by_hand(model, x, blueprint.spec.n, residual=blueprint.spec.residual)
            assert (model(x) - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("name", ["resnet20-cifar", "plain20-cifar"])
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = models.create(name, Task(num_classes=3, in_channels=1))
    assert untrained(model, torch.randn(4, 1, 9, 9)) == []


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="accepts 1x1 and larger"):
        models.create("resnet20-cifar", Task(image_size=0))
