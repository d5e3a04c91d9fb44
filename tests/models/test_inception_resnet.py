import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import timm
from torch import nn
from transplant import difference, randomise, transplant

from convatlas.errors import UserError
from convatlas.models.family import Task, adapt
from convatlas.models.inception_resnet import FAMILY, V1, InceptionResNetSpec, Residual, Stage

NAMES = tuple(FAMILY.variants)


def build(name: str, task: Task) -> nn.Module:
    return adapt(name, FAMILY, task).build()


def timms() -> nn.Module:
    model = timm.create_model("inception_resnet_v2", pretrained=False)
    randomise(model)
    return model


@pytest.mark.parametrize(
    ("name", "widths", "depths"),
    [
        ("inception_resnet_v1", (256, 896, 1792), [5, 10, 5]),
        ("inception_resnet_v2", (384, 1152, 2144), [5, 10, 5]),
        ("inception_resnet_v2@timm", (320, 1088, 2080), [10, 20, 10]),
    ],
)
def test_figure_15_sizes(name: str, widths: tuple[int, int, int], depths: list[int]) -> None:
    model = on_meta(FAMILY, name)
    paths = ("stem.0", "stem", "stage_a", "reduction_a", "stage_b", "reduction_b", "stage_c")
    got = sizes(model, torch.zeros(1, 3, 299, 299, device="meta"), paths)
    at_35, at_17, at_8 = widths
    assert list(got.values()) == [
        *((32, 149, 149), (at_35, 35, 35), (at_35, 35, 35)),
        *((at_17, 17, 17), (at_17, 17, 17), (at_8, 8, 8), (at_8, 8, 8)),
    ]
    stages = [model.get_submodule(f"stage_{letter}") for letter in "abc"]
    assert [len(list(stage.children())) for stage in stages] == depths


def test_figure_14_sizes() -> None:
    model = on_meta(FAMILY, "inception_resnet_v1")
    paths = [f"stem.{number}" for number in range(7)]
    got = sizes(model, torch.zeros(1, 3, 299, 299, device="meta"), paths)
    assert list(got.values()) == [
        *((32, 149, 149), (32, 147, 147), (64, 147, 147), (64, 73, 73)),
        *((80, 73, 73), (192, 71, 71), (256, 35, 35)),
    ]


def test_counts() -> None:
    assert counts(FAMILY, "inception_resnet_v1") == (22_756_328, 6_206_361_696)
    assert counts(FAMILY, "inception_resnet_v2") == (32_433_928, 9_257_953_632)
    assert counts(FAMILY, "inception_resnet_v2@timm") == (55_843_464, 13_155_794_016)
    assert sum(p.numel() for p in timms().parameters()) == 55_843_464


def test_version_1_by_hand() -> None:
    # Weights and two numbers of batch norm a map; the convolution before a sum has biases instead.
    def normed(c_in: int, c_out: int, window: int) -> int:
        return c_in * c_out * window + 2 * c_out

    a = normed(256, 32, 1) * 3 + normed(32, 32, 9) * 3 + 96 * 256 + 256
    b = normed(896, 128, 1) * 2 + normed(128, 128, 7) * 2 + 256 * 896 + 896
    c = normed(1792, 192, 1) * 2 + normed(192, 192, 3) * 2 + 384 * 1792 + 1792
    to_17 = normed(256, 384, 9) + normed(256, 192, 1) + normed(192, 192, 9) + normed(192, 256, 9)
    to_8 = normed(896, 256, 1) * 3 + normed(256, 384, 9) + normed(256, 256, 9) * 3
    stem = normed(3, 32, 9) + normed(32, 32, 9) + normed(32, 64, 9)
    stem += normed(64, 80, 1) + normed(80, 192, 9) + normed(192, 256, 9)
    dense = 1792 * 1000 + 1000
    total = stem + 5 * a + to_17 + 10 * b + to_8 + 5 * c + dense
    assert total == counts(FAMILY, "inception_resnet_v1")[0]


def test_a_module_adds_its_scaled_branches_to_its_input() -> None:
    stage = Stage(depth=1, branches=(((1, 2),), ((1, 3), ((1, 3), 4))), scale=0.25)
    module = Residual(6, stage).double()
    x = torch.randn(2, 6, 5, 5, dtype=torch.float64)
    first, second = module.branches.branches
    weight, bias = module.expand.weight[:, :, 0, 0], module.expand.bias
    joined = torch.cat([first(x), second(x)], 1)
    added = torch.einsum("oc,nchw->nohw", weight, joined) + bias[:, None, None]
    torch.testing.assert_close(module(x), (x + 0.25 * added).relu(), rtol=1e-12, atol=1e-12)
    assert Residual(6, stage, relu=False).double()(x - 100).max() < 0


def test_batch_norm_is_on_convolutions_but_not_on_sums() -> None:
    model = on_meta(FAMILY, "inception_resnet_v2")
    for path, module in model.named_modules():
        if isinstance(module, Residual):
            assert not any(isinstance(m, nn.BatchNorm2d) for m in (module.expand, module.relu)), (
                path
            )
    scales = [model.get_submodule(f"stage_{letter}.0") for letter in "abc"]
    assert [m.scale for m in scales if isinstance(m, Residual)] == [0.17, 0.10, 0.20]


@pytest.mark.parametrize("name", ["inception_resnet_v1", "inception_resnet_v2"])
def test_every_parameter_is_trained(name: str) -> None:
    model = build(name, Task(num_classes=5, image_size=80))
    randomise(model)
    assert untrained(model, torch.randn(3, 3, 80, 80)) == []


@pytest.mark.parametrize("name", NAMES)
def test_smallest_input(name: str) -> None:
    model = build(name, Task(num_classes=5, in_channels=1, image_size=75)).eval()
    assert model(torch.zeros(1, 1, 75, 83)).shape == (1, 5)
    with pytest.raises(UserError, match="accepts 75x75 and larger"):
        adapt(name, FAMILY, Task(image_size=74))
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 1, 74, 74))


def test_widths_follow_from_stem_and_reductions() -> None:
    assert V1.widths == (256, 256 + 384 + 256, 896 + 384 + 256 + 256)
    other = InceptionResNetSpec(
        stem="figure 3",
        a=V1.a,
        reduction_a=(1, 2, 3, 4),
        b=V1.b,
        reduction_b=(5, 6, 7, 8),
        c=V1.c,
    )
    assert other.widths == (384, 391, 410)


def test_timms_profile_equals_timm_bit_for_bit() -> None:
    theirs, ours = timms().eval(), build("inception_resnet_v2@timm", Task()).eval()
    transplant(theirs, ours)
    for size in (75, 96, 131):
        x = torch.randn(2, 3, size, size)
        with torch.inference_mode():
            assert torch.equal(ours(x), theirs(x)), size


def test_timms_gradients_are_ours() -> None:
    # The same operations, summed in another order on the way back: relative 1e-5 in fp32.
    theirs, ours = timms().eval(), build("inception_resnet_v2@timm", Task()).eval()
    transplant(theirs, ours)
    x = torch.randn(1, 3, 96, 96)
    theirs(x).square().mean().backward()
    ours(x).square().mean().backward()
    expected = theirs.get_parameter("repeat_1.3.branch1.1.conv.weight").grad
    got = ours.get_parameter("stage_b.3.branches.branches.1.1.0.weight").grad
    assert difference(got, expected) < 1e-5
