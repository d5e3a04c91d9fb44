import pytest
import torch
from contract import counts, on_meta, sizes, untrained
from references import torchvision
from torch import Tensor, nn
from transplant import difference, randomise, transplant

from convatlas.errors import UserError
from convatlas.models.family import Task, adapt
from convatlas.models.inception_v3 import (
    FAMILY,
    InceptionV3,
    InceptionV3Spec,
    Outputs,
    figure_5,
    figure_6,
    figure_7,
)

NAMES = tuple(FAMILY.variants)


def build(name: str, task: Task) -> nn.Module:
    return adapt(name, FAMILY, task).build()


def torchvisions() -> nn.Module:
    model = torchvision.models.inception_v3(init_weights=False)
    randomise(model)
    return model


def kernels(module: nn.Module) -> list[tuple[int, ...]]:
    return [layer.kernel_size for layer in module.modules() if isinstance(layer, nn.Conv2d)]


def without_head(name: str) -> int:
    named = on_meta(FAMILY, name).named_parameters()
    return sum(p.numel() for path, p in named if not path.startswith("auxiliary"))


@pytest.mark.parametrize("name", NAMES)
def test_table_1_sizes(name: str) -> None:
    model = on_meta(FAMILY, name)
    paths = (
        *("stem.0", "stem.1", "stem.2", "stem.3", "stage35"),
        *("stage17.0", "stage17", "stage8.0", "stage8", "head"),
    )
    got = sizes(model, torch.zeros(1, 3, 299, 299, device="meta"), paths)
    assert list(got.values()) == [
        *((32, 149, 149), (32, 147, 147), (64, 147, 147), (64, 73, 73), (288, 35, 35)),
        *((768, 17, 17), (768, 17, 17), (1280, 8, 8), (2048, 8, 8), (1000,)),
    ]


def test_the_papers_stem_has_the_sizes_of_table_1_and_torchvisions_has_not() -> None:
    picture = torch.zeros(1, 3, 299, 299, device="meta")
    last = ("stem.4", "stem.5", "stem.6")
    ours = sizes(on_meta(FAMILY, "inception_v3"), picture, last)
    assert list(ours.values()) == [(80, 71, 71), (192, 35, 35), (288, 35, 35)]
    theirs = sizes(on_meta(FAMILY, "inception_v3@torchvision"), picture, last)
    assert list(theirs.values()) == [(80, 73, 73), (192, 71, 71), (192, 35, 35)]


def test_modules_are_figures_5_6_and_7() -> None:
    spec = InceptionV3Spec()
    assert kernels(figure_5(spec, 8)) == [(1, 1)] * 2 + [(3, 3), (1, 1), (3, 3), (3, 3), (1, 1)]
    pair = [(1, 7), (7, 1)]
    assert kernels(figure_6(spec, 4)) == [(1, 1)] * 2 + pair + [(1, 1)] + pair * 2 + [(1, 1)]
    fan = [(1, 3), (3, 1)]
    assert kernels(figure_7(spec, 8)) == [
        *((1, 1), (1, 1), *fan),
        *((1, 1), (3, 3), *fan, (1, 1)),
    ]
    model = on_meta(FAMILY, "inception_v3")
    modules = [len(list(model.get_submodule(f"stage{n}").children())) for n in (35, 17, 8)]
    assert modules == [3, 5, 3]  # Table 1: 3, 5, 2; the last reduction is not counted there


def test_counts() -> None:
    # The abstract: less than 25 million parameters (the head only trains), 5 billion multiply-adds.
    assert counts(FAMILY, "inception_v3") == (27_589_936, 5_864_860_256)
    assert without_head("inception_v3") == 24_263_240 < 25_000_000
    theirs = sum(p.numel() for p in torchvisions().parameters())
    assert counts(FAMILY, "inception_v3@torchvision") == (27_161_264, 5_713_216_096)
    assert theirs == 27_161_264
    assert without_head("inception_v3@torchvision") == 23_834_568


def test_what_the_two_forms_differ_by_adds_up() -> None:
    # Widths by hand, gains and biases of batch norm included: printed less released.
    stem = (64 * 80 * 8) + (192 * 288 * 9 + 2 * 288)
    first_module = (288 - 192) * (64 + 48 + 64 + 64) + 192 * (64 - 32) + 2 * (64 - 32)
    second_module = (288 - 256) * (64 + 48 + 64 + 64)
    branch = 3 * 48 * 64 * (25 - 9)
    expected = stem + first_module + second_module - branch
    assert without_head("inception_v3") - without_head("inception_v3@torchvision") == expected


def test_averages_at_the_border_leave_the_padding_out() -> None:
    pool = figure_5(InceptionV3Spec(), 1).branches[3].get_submodule("0")
    assert pool(torch.ones(1, 1, 4, 4)).unique().tolist() == [1.0]


@pytest.mark.parametrize("name", NAMES)
def test_the_head_runs_in_training_only(name: str) -> None:
    model = on_meta(FAMILY, name)
    picture = torch.zeros(2, 3, 299, 299, device="meta")
    assert isinstance(model(picture), Tensor)
    got = sizes(model.train(), picture, [f"auxiliary.{part}" for part in (0, 1, 2, 5)])
    assert list(got.values()) == [(768, 5, 5), (128, 5, 5), (768, 1, 1), (1000,)]
    out = model(picture)
    assert isinstance(out, Outputs)
    assert out.logits.shape == out.auxiliary.shape == (2, 1000)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, Task(num_classes=5, image_size=107))
    randomise(model)

    class Both(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat(tuple(model(x)), 1)

    both = Both()
    both.add_module("model", model)
    assert untrained(both, torch.randn(3, 3, 107, 107)) == []


@pytest.mark.parametrize(("auxiliary", "smallest"), [(True, 107), (False, 75)])
def test_smallest_input(auxiliary: bool, smallest: int) -> None:
    for stem in ("table 1", "released"):
        spec = InceptionV3Spec(auxiliary=auxiliary, image_size=smallest, stem=stem)
        InceptionV3(spec)(torch.randn(2, 3, smallest, smallest))
    with pytest.raises(UserError, match=f"accepts {smallest}x{smallest} and larger"):
        InceptionV3Spec(auxiliary=auxiliary, image_size=smallest - 1)


def test_torchvisions_first_weights() -> None:
    torch.manual_seed(0)
    model = build("inception_v3@torchvision", Task())
    deviations = {
        "stem.1.0.weight": 0.1,
        "auxiliary.2.0.weight": 0.01,
        "auxiliary.5.weight": 0.001,
        "head.3.weight": 0.1,
    }
    for path, deviation in deviations.items():
        assert model.get_parameter(path).std().item() == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("size", [75, 96, 139])
def test_torchvisions_profile_equals_torchvision_bit_for_bit(size: int) -> None:
    theirs, ours = torchvisions().eval(), build("inception_v3@torchvision", Task()).eval()
    transplant(theirs, ours)
    x = torch.randn(2, 3, size, size)
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))


@pytest.mark.slow
def test_torchvisions_head_and_gradients_are_ours() -> None:
    # Batch statistics and sums of branches in another order: relative 1e-4 in fp32.
    theirs, ours = torchvisions(), build("inception_v3@torchvision", Task())
    transplant(theirs, ours)
    for module in (*theirs.modules(), *ours.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    x = torch.randn(2, 3, 299, 299)
    (logits, auxiliary), out = theirs(x), ours(x)
    assert difference(out.logits, logits) < 1e-4
    assert difference(out.auxiliary, auxiliary) < 1e-4
    (logits.square().sum() + auxiliary.square().sum()).backward()
    (out.logits.square().sum() + out.auxiliary.square().sum()).backward()
    expected = theirs.get_parameter("Mixed_6b.branch7x7dbl_2.conv.weight").grad
    got = ours.get_parameter("stage17.1.branches.2.1.0.weight").grad
    assert difference(got, expected) < 1e-4
