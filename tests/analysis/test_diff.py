import pytest
import torch
from changed import (
    Branches,
    Change,
    NoShortcut,
    changed,
    every,
    graph,
    instead_of,
    network,
    put,
    reordered,
    untouched,
)
from torch import nn

from convatlas import models
from convatlas.analysis.diff import diff
from convatlas.analysis.differences.difference import Difference
from convatlas.capture.capture import capture
from convatlas.graph.graph import Graph

Said = list[tuple[int, str, str, str]]


def said(difference: Difference) -> Said:
    return [(c.times, c.what, c.a, c.b) for c in difference.changes]


def ours(name: str) -> Graph:
    size = models.blueprint(name).spec.image_size
    with torch.device("meta"):
        return graph(models.create(name).eval(), size)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("alexnet@torchvision", "alexnet"),
        ("vgg16@torchvision", "vgg16"),
        ("resnet18", "resnet18"),
        ("resnet50@torchvision", "resnet50"),
        ("densenet121", "densenet121"),
        ("googlenet@torchvision", "googlenet"),
        ("inception_v3@torchvision", "inception_v3"),
    ],
)
def test_the_same_network_by_other_hands_is_the_same(name: str, theirs: str) -> None:
    found = diff(ours(name), untouched(theirs))
    assert (found.verdict, said(found)) == ("same network", [])
    assert found.alike == 1


def test_swin_differs_in_a_mask_of_zeros_alone() -> None:
    # Where one window is the whole map torchvision leaves out a mask that hides nothing; what
    # constants hold is not in a graph.
    found = diff(ours("swin_t"), untouched("swin_t"))
    assert said(found) == [(1, "left out", "constant → addition", "")]


def first_version(module: nn.Module) -> None:
    for name in ("layer2", "layer3", "layer4"):
        module.get_submodule(f"{name}.0.conv1").stride = (2, 2)
        module.get_submodule(f"{name}.0.conv2").stride = (1, 1)


def norm_last(module: nn.Module) -> None:
    parts = list(module.features)
    for n, part in enumerate(parts[:-1]):
        if isinstance(part, nn.BatchNorm2d):
            parts[n], parts[n + 1] = parts[n + 1], part
    module.features = nn.Sequential(*parts)


def by_groups(part: nn.Module) -> nn.Module:
    return nn.GroupNorm(32, part.num_features, device="meta")


def conv(*arguments: int, **settings: object) -> nn.Conv2d:
    return nn.Conv2d(*arguments, device="meta", **settings)


def set_on(path: str, **settings: object) -> Change:
    def change(module: nn.Module) -> None:
        for name, value in settings.items():
            setattr(module.get_submodule(path), name, value)

    return change


BN = "batch normalisation"
AFTER_CONV = "after convolution 3×3, before ReLU"
POOL = "max pooling"


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        (
            "resnet50",
            first_version,
            [(3, "place of stride 2", "convolution 3×3", "convolution 1×1")],
        ),
        ("resnet50", every(nn.BatchNorm2d, eps=1e-3), [(53, f"eps of {BN}", "1e-05", "0.001")]),
        (
            "resnet50",
            every(nn.BatchNorm2d, eps=1.001e-5),
            [(53, f"eps of {BN}", "1e-05", "1.001e-05")],
        ),
        (
            "densenet121",
            every(nn.BatchNorm2d, momentum=0.01),
            [(121, f"momentum of {BN}", "0.1", "0.01")],
        ),
        (
            "resnet50",
            set_on("maxpool", padding=0, ceil_mode=True),
            [(1, f"padding, rounding of {POOL} 3×3", "1, down", "0, up")],
        ),
        (
            "googlenet",
            set_on("maxpool3", ceil_mode=False),
            [(1, f"rounding of {POOL} 3×3", "up", "down")],
        ),
        (
            "resnet50",
            put("maxpool", nn.MaxPool2d(2)),
            [(1, f"kernel, padding of {POOL}", "3×3, 1", "2×2, 0")],
        ),
        (
            "vgg16_bn",
            instead_of(nn.ReLU, lambda _: nn.Tanh()),
            [(15, "activation", "ReLU", "tanh")],
        ),
        (
            "vgg16_bn",
            instead_of(nn.ReLU, lambda _: nn.LeakyReLU(0.2)),
            [(15, "activation", "ReLU", "leaky ReLU 0.2")],
        ),
        (
            "vgg16_bn",
            instead_of(nn.MaxPool2d, lambda _: nn.AvgPool2d(2)),
            [(5, "kind of pooling", POOL, "average pooling")],
        ),
        (
            "alexnet",
            reordered("classifier", (1, 2, 0, 4, 5, 3, 6)),
            [
                (
                    1,
                    "place of dropout 0.5",
                    "after average pooling to 6×6, before dense layer",
                    "after ReLU, before dense layer",
                )
            ],
        ),
        ("alexnet", every(nn.Dropout, p=0.3), [(2, "p of dropout", "0.5", "0.3")]),
        ("vgg16_bn", every(nn.Conv2d, padding="same"), []),
        ("resnet50", instead_of(nn.ReLU, lambda _: nn.LeakyReLU(0)), []),
        (
            "resnet50",
            put("layer3.1.conv2", conv(256, 256, 3, padding=1, groups=4, bias=False)),
            [(1, "groups of convolution 3×3", "1", "4")],
        ),
        (
            "resnet50",
            set_on("layer3.1.conv2", padding=(2, 2), dilation=(2, 2)),
            [(1, "padding, dilation of convolution 3×3", "1, 1", "2, 2")],
        ),
        (
            "resnet50",
            put("conv1", conv(3, 64, 7, stride=2, padding=3)),
            [(1, "bias of convolution 7×7", "no", "yes")],
        ),
        ("resnet50", put("bn1", nn.Identity()), [(1, "left out", BN, "")]),
        ("resnet50", reordered("layer3", (0, 1, 2, 3, 4)), [(1, "blocks at 14×14", "6", "5")]),
        ("resnet50", reordered("layer2", (0, 1, 2, 3, 3)), [(1, "blocks at 28×28", "4", "5")]),
        (
            "resnet50",
            set_on("layer1.0.bn1", training=True),
            [(1, f"statistics of {BN}", "by mode", "of the batch")],
        ),
        ("resnet50", nn.Module.train, [(1, "mode", "evaluation", "training")]),
        (
            "resnet50",
            lambda module: module.layer1.requires_grad_(False),
            [(20, "trained parameters", "all", "none")],
        ),
        (
            "vgg16_bn",
            norm_last,
            [
                (
                    8,
                    f"place of {BN}",
                    AFTER_CONV,
                    "after ReLU, before convolution 3×3",
                ),
                (
                    5,
                    f"place of {BN}",
                    AFTER_CONV,
                    f"after ReLU, before {POOL} 2×2",
                ),
            ],
        ),
        (
            "resnet50",
            lambda module: module.set_submodule("layer2.2", NoShortcut(module.layer2[2])),
            [(1, "left out", "addition", "")],
        ),
        (
            "resnet50",
            instead_of(
                nn.BatchNorm2d, lambda part: nn.GroupNorm(32, part.num_features, device="meta")
            ),
            [(53, "kind of normalisation", BN, "group normalisation")],
        ),
    ],
)
def test_a_change_is_named_and_nothing_else(name: str, change: Change, expected: Said) -> None:
    assert said(diff(untouched(name), changed(name, change))) == expected


def inception(run: tuple[int, ...], joined: tuple[int, ...]) -> Graph:
    return changed(
        "googlenet",
        lambda module: module.set_submodule(
            "inception4b", Branches(module.inception4b, run, joined)
        ),
    )


def test_branches_may_run_in_any_order_but_not_be_joined_in_any() -> None:
    base = untouched("googlenet")
    assert diff(base, inception((3, 1, 0, 2), (0, 1, 2, 3))).same
    for order in ((0, 2, 1, 3), (3, 0, 1, 2), (1, 0, 2, 3)):
        found = diff(base, inception((0, 1, 2, 3), order))
        assert [(c.times, c.what) for c in found.changes] == [(1, "order of concatenation")]


def test_input_transform_is_one_difference() -> None:
    found = diff(untouched("googlenet"), graph(network("googlenet", transform_input=True)))
    assert said(found) == [(1, "added", "", "transform by channel")]


def test_training_brings_the_heads() -> None:
    found = diff(untouched("googlenet"), changed("googlenet", nn.Module.train))
    assert [c[:2] for c in said(found)] == [
        (1, "mode"),
        (1, "number of outputs"),
        (1, "parameters that no output needs"),
        (2, "added"),
    ]


def small(*parts: nn.Module) -> Graph:
    return graph(nn.Sequential(nn.Conv2d(3, 8, 3), *parts), 32)


def test_shortcuts_a_and_b() -> None:
    assert said(diff(ours("resnet18"), ours("resnet18-a"))) == [
        (
            3,
            "instead",
            "convolution 1×1, stride 2 → batch normalisation",
            "2 × slice → pad",
        )
    ]


def test_depth_is_told_in_blocks_and_effects_add_up() -> None:
    found = diff(ours("resnet18"), ours("resnet34"))
    assert said(found) == [
        (1, "blocks at 56×56", "2", "3"),
        (1, "blocks at 28×28", "2", "4"),
        (1, "blocks at 14×14", "2", "6"),
        (1, "blocks at 7×7", "2", "3"),
    ]
    # two 3x3 convolutions of 64 maps without bias, two norms: 2 * (9 * 64**2 + 2 * 64)
    assert found.changes[0].effect.parameters == 73_984
    assert found.effect.parameters == 21_797_672 - 11_689_512
    assert (found.follows.parameters, found.follows.macs) == (0, 0)


@pytest.mark.parametrize(
    ("a", "b"), [("alexnet", "alexnet@torchvision"), ("resnet50", "wide-resnet-50-2")]
)
def test_effects_add_up_to_the_whole(a: str, b: str) -> None:
    one, other = ours(a), ours(b)
    found = diff(one, other)
    parts = [change.effect for change in found.changes] + [found.follows]
    assert sum(part.parameters for part in parts) == other.trainable - one.trainable
    assert sum(part.macs for part in parts) == found.macs[1] - found.macs[0]
    back = diff(other, one)
    assert back.effect.parameters == -found.effect.parameters
    assert len(back.changes) == len(found.changes)


def test_post_and_pre_activation_are_an_order_and_a_wiring() -> None:
    found = diff(ours("resnet110-cifar"), ours("preact-resnet110-cifar"))
    assert [(c.times, c.what) for c in found.changes] == [
        (54, "place of batch normalisation"),
        (51, "what addition reads"),
    ]


def test_unlike_networks_are_summed_up() -> None:
    found = diff(ours("vgg16"), ours("swin_t"))
    assert not found.related
    assert found.verdict.startswith("different networks")
    assert sum(kind.macs[0] for kind in found.kinds) == found.macs[0]
    assert sum(kind.macs[1] for kind in found.kinds) == found.macs[1]


def test_verdicts_say_what_cannot_tell_the_networks_apart() -> None:
    base = untouched("resnet50")
    eps = diff(base, changed("resnet50", every(nn.BatchNorm2d, eps=1e-3)))
    assert eps.verdict.endswith("cannot be told from shapes or parameter counts")
    stride = diff(base, changed("resnet50", first_version))
    assert stride.verdict.endswith("1 difference: cannot be told from parameter counts")


def test_input_sizes_are_made_equal_where_they_can_be() -> None:
    module = nn.Conv2d(3, 8, 3)
    assert diff(graph(module, 32), graph(module, 48)).same
    gray = nn.Conv2d(1, 8, 3)
    found = diff(graph(module, 32), capture(gray, (1, 1, 32, 32)))
    assert "input" in [change.what for change in found.changes]


def test_field_is_asked_for_both() -> None:
    sizes = iter((10, 14))
    found = diff(small(), small(nn.ReLU()), field=lambda *_: next(sizes))
    assert found.effect.field == 4
    assert diff(small(), small(nn.ReLU())).effect.field is None
