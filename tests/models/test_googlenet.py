import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import torchvision
from torch import Tensor, nn
from transplant import difference, randomise, transplant

from convatlas.errors import UserError
from convatlas.models.family import Task, adapt
from convatlas.models.googlenet import (
    FAMILY,
    GoogLeNet,
    GoogLeNetSpec,
    Inception,
    Outputs,
    response_norm,
)

NAMES = tuple(FAMILY.variants)
BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def build(name: str, task: Task) -> nn.Module:
    return adapt(name, FAMILY, task).build()


def weights(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.ndim > 1)


def torchvisions() -> nn.Module:
    model = torchvision.models.googlenet(init_weights=False)
    randomise(model)
    return model


def test_table_1_counts() -> None:
    # The widths of Table 1 give 6,990,272 weights and 1,582,671,872 multiply-adds; with biases
    # 6,998,552 parameters. Each head adds what section 5 describes.
    parameters, macs = counts(FAMILY, "googlenet")
    assert parameters == 6_998_552 + 3_188_840 + 3_190_888
    assert macs == 1_582_671_872
    model = on_meta(FAMILY, "googlenet")
    heads = [model.get_submodule(f"auxiliary_{block}") for block in ("4a", "4d")]
    assert [sum(p.numel() for p in head.parameters()) for head in heads] == [3_188_840, 3_190_888]
    assert weights(model) - sum(map(weights, heads)) == 6_990_272


def test_table_1_row_by_row() -> None:
    model = on_meta(FAMILY, "googlenet")
    rows = [weights(model.get_submodule(f"inception{block}")) for block in BLOCKS]
    assert rows == [
        *(163_328, 388_096),
        *(375_552, 448_512, 509_440, 604_672, 867_328),
        *(1_042_432, 1_442_816),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_table_1_sizes(name: str) -> None:
    model = on_meta(FAMILY, name)
    paths = (
        *("stem.0", "stem.1", "stem.4", "stem.6", "inception3a", "inception3b", "pool3"),
        *(f"inception4{block}" for block in "abcde"),
        *("pool4", "inception5a", "inception5b", "head.0", "head"),
    )
    got = sizes(model, torch.zeros(1, 3, 224, 224, device="meta"), paths)
    assert list(got.values()) == [
        *((64, 112, 112), (64, 56, 56), (192, 56, 56), (192, 28, 28)),
        *((256, 28, 28), (480, 28, 28), (480, 14, 14)),
        *((512, 14, 14), (512, 14, 14), (512, 14, 14), (528, 14, 14), (832, 14, 14)),
        *((832, 7, 7), (832, 7, 7), (1024, 7, 7), (1024, 1, 1), (1000,)),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_heads_pool_to_4x4_and_run_in_training_only(name: str) -> None:
    model = on_meta(FAMILY, name)
    picture = torch.zeros(2, 3, 224, 224, device="meta")
    assert isinstance(model(picture), Tensor)
    got = sizes(model.train(), picture, ("auxiliary_4a.0", "auxiliary_4d.0"))
    assert list(got.values()) == [(512, 4, 4), (528, 4, 4)]
    out = model(picture)
    assert isinstance(out, Outputs)
    assert [tuple(scores.shape) for scores in out] == [(2, 1000)] * 3


def test_response_norm_is_krizhevskys_formula() -> None:
    x = torch.randn(2, 7, 3, 3, dtype=torch.float64) * 100
    expected = torch.empty_like(x)
    for place in range(7):
        near = x[:, max(0, place - 2) : place + 3]
        expected[:, place] = x[:, place] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
    torch.testing.assert_close(response_norm().double()(x), expected, rtol=1e-12, atol=0)


def test_inception_is_figure_2b() -> None:
    block = Inception(GoogLeNetSpec(), 8, (2, 3, 4, 5, 6, 7))
    kernels = [layer.kernel_size for layer in block.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(1, 1), (1, 1), (3, 3), (1, 1), (5, 5), (1, 1)]
    x = torch.randn(1, 8, 6, 6)
    first, _, _, last = block(x).split((2, 4, 6, 7), 1)
    torch.testing.assert_close(first, block.branch1x1(x))
    pooled = nn.functional.max_pool2d(x, 3, 1, 1)
    torch.testing.assert_close(last, block.branch_pool[1](pooled))


def test_first_weights_are_caffes() -> None:
    torch.manual_seed(0)
    model = GoogLeNet(GoogLeNetSpec(image_size=79, num_classes=10))
    first, last = model.stem[0][0], model.head[-1]
    bound = (3 / (3 * 7 * 7)) ** 0.5
    assert 0.98 * bound < first.weight.abs().max() <= bound
    assert first.bias.unique().tolist() == pytest.approx([0.2])
    assert not last.bias.any()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    blueprint = adapt(name, FAMILY, Task(num_classes=5, image_size=79))
    model = blueprint.build()

    class Sum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat(tuple(model(x)), 1)

    both = Sum()
    both.add_module("model", model)
    assert untrained(both, torch.randn(2, 3, 79, 79)) == []


@pytest.mark.parametrize(
    ("name", "auxiliary", "smallest"),
    [
        ("googlenet", True, 79),
        ("googlenet", False, 31),
        ("googlenet@torchvision", True, 15),
    ],
)
def test_smallest_input(name: str, auxiliary: bool, smallest: int) -> None:
    spec = FAMILY.variants[name].spec
    knobs = {field: getattr(spec, field) for field in ("kernel_5x5", "last_pool", "head_pool")}
    model = GoogLeNet(GoogLeNetSpec(auxiliary=auxiliary, image_size=smallest, **knobs))
    model.train()(torch.randn(2, 3, smallest, smallest))
    with pytest.raises(UserError, match=f"accepts {smallest}x{smallest} and larger"):
        GoogLeNetSpec(auxiliary=auxiliary, image_size=smallest - 1, **knobs)


def test_any_size_is_evaluated_whatever_size_the_heads_were_made_for() -> None:
    model = build("googlenet", Task(num_classes=5)).eval()
    assert model(torch.zeros(1, 3, 31, 47)).shape == (1, 5)


def test_grey_pictures_and_dropout_can_be_asked_for() -> None:
    blueprint = adapt("googlenet", FAMILY, Task(in_channels=1, image_size=96, dropout=0.1))
    assert blueprint.spec.dropout == 0.1
    assert blueprint.build().eval()(torch.zeros(1, 1, 96, 96)).shape == (1, 1000)


@pytest.mark.parametrize("size", [15, 77, 96])
def test_torchvisions_profile_equals_torchvision_bit_for_bit(size: int) -> None:
    theirs, ours = torchvisions().eval(), build("googlenet@torchvision", Task()).eval()
    transplant(theirs, ours)
    x = torch.randn(2, 3, size, size)
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))


def test_torchvisions_heads_and_gradients_are_ours() -> None:
    # The same operations but for ReLU in place: relative 1e-5 in fp32.
    theirs, ours = torchvisions(), build("googlenet@torchvision", Task())
    transplant(theirs, ours)
    for module in (*theirs.modules(), *ours.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    x = torch.randn(3, 3, 80, 80)
    (logits, auxiliary_4d, auxiliary_4a), out = theirs(x), ours(x)
    pairs = ((out.logits, logits), (out.auxiliary_4a, auxiliary_4a))
    for mine, other in (*pairs, (out.auxiliary_4d, auxiliary_4d)):
        assert difference(mine, other) < 1e-5
    sum(scores.square().sum() for scores in out).backward()
    (logits.square().sum() + auxiliary_4a.square().sum() + auxiliary_4d.square().sum()).backward()
    expected = theirs.get_parameter("conv1.conv.weight").grad
    assert difference(ours.get_parameter("stem.0.0.weight").grad, expected) < 1e-5


def test_torchvisions_counts() -> None:
    theirs = torchvision.models.googlenet(init_weights=False)
    parameters, macs = counts(FAMILY, "googlenet@torchvision")
    assert parameters == sum(p.numel() for p in theirs.parameters()) == 13_004_888
    assert macs == 1_498_376_192  # torchvision's own card says 1.498 G
    without = GoogLeNet(
        GoogLeNetSpec(
            batch_norm=True, kernel_5x5=3, last_pool=2, weights="torchvision", auxiliary=False
        )
    )
    assert sum(p.numel() for p in without.parameters()) == 6_624_904
