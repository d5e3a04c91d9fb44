import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import timm
from torch import nn
from transplant import difference, randomise, transplant

from convatlas.errors import UserError
from convatlas.models.family import Task, adapt
from convatlas.models.inception_v4 import FAMILY, InceptionV4Spec, inception_b, inception_c, stem

NAMES = tuple(FAMILY.variants)


def build(name: str, task: Task) -> nn.Module:
    return adapt(name, FAMILY, task).build()


def timms() -> nn.Module:
    model = timm.create_model("inception_v4", pretrained=False)
    randomise(model)
    return model


def lines(module: nn.Module) -> list[tuple[int, int]]:
    """Kernels of the convolutions that are longer than wide, in order."""
    found = [m.kernel_size for m in module.modules() if isinstance(m, nn.Conv2d)]
    return [kernel for kernel in found if kernel[0] != kernel[1]]


@pytest.mark.parametrize("name", NAMES)
def test_figures_3_and_9_sizes(name: str) -> None:
    model = on_meta(FAMILY, name)
    paths = (
        *(f"stem.{number}" for number in range(6)),
        *("stage_a", "reduction_a", "stage_b", "reduction_b", "stage_c", "head.0", "head"),
    )
    got = sizes(model, torch.zeros(1, 3, 299, 299, device="meta"), paths)
    assert list(got.values()) == [
        *((32, 149, 149), (32, 147, 147), (64, 147, 147)),
        *((160, 73, 73), (192, 71, 71), (384, 35, 35)),
        *((384, 35, 35), (1024, 17, 17), (1024, 17, 17), (1536, 8, 8), (1536, 8, 8)),
        *((1536, 1, 1), (1000,)),
    ]
    stages = [model.get_submodule(f"stage_{letter}") for letter in "abc"]
    assert [len(list(stage.children())) for stage in stages] == [4, 7, 3]


def test_pairs_stand_as_the_figures_print_them_or_as_released() -> None:
    wide, tall, small_wide, small_tall = (1, 7), (7, 1), (1, 3), (3, 1)
    figures, released = InceptionV4Spec(), InceptionV4Spec(order="released")
    assert lines(stem(figures)) == [tall, wide]
    assert lines(stem(released)) == [wide, tall]
    assert lines(inception_b(figures)) == [wide, tall] + [wide, tall] * 2
    assert lines(inception_b(released)) == [wide, tall] + [tall, wide] * 2
    fan = [small_wide, small_tall]
    assert lines(inception_c(figures)) == [*fan, small_wide, small_tall, *fan]
    assert lines(inception_c(released)) == [*fan, small_tall, small_wide, *fan]


@pytest.mark.parametrize("name", NAMES)
def test_counts(name: str) -> None:
    assert counts(FAMILY, name) == (42_679_816, 12_253_974_624)


def test_timm_counts_the_same() -> None:
    assert sum(p.numel() for p in timms().parameters()) == 42_679_816


def test_every_parameter_is_trained() -> None:
    model = build("inception_v4", Task(num_classes=5, image_size=80))
    randomise(model)
    assert untrained(model, torch.randn(3, 3, 80, 80)) == []


def test_smallest_input() -> None:
    model = build("inception_v4", Task(num_classes=5, in_channels=1, image_size=75)).eval()
    assert model(torch.zeros(1, 1, 75, 82)).shape == (1, 5)
    with pytest.raises(UserError, match="accepts 75x75 and larger"):
        InceptionV4Spec(image_size=74)
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 1, 74, 74))


def test_timms_profile_equals_timm_bit_for_bit() -> None:
    theirs, ours = timms().eval(), build("inception_v4@timm", Task()).eval()
    transplant(theirs, ours)
    for size in (75, 96, 131):
        x = torch.randn(2, 3, size, size)
        with torch.inference_mode():
            assert torch.equal(ours(x), theirs(x)), size


def test_timms_gradients_are_ours() -> None:
    # The same operations, summed in another order on the way back: relative 1e-5 in fp32.
    theirs, ours = timms().eval(), build("inception_v4@timm", Task()).eval()
    transplant(theirs, ours)
    x = torch.randn(1, 3, 96, 96)
    theirs(x).square().sum().backward()
    ours(x).square().sum().backward()
    expected = theirs.get_parameter("features.11.branch2.1.conv.weight").grad
    got = ours.get_parameter("stage_b.0.branches.2.1.0.weight").grad
    assert difference(got, expected) < 1e-5
