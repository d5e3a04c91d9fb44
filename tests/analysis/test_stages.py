import pytest

from convatlas import atlas
from convatlas.analysis.cost import cost
from convatlas.analysis.stages import stages


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_stages_add_up_and_shares_make_one(name: str) -> None:
    found = cost(atlas.graph(name))
    parts = stages(found.lines)
    assert sum(part.macs for part in parts) == found.macs
    unused = sum(parameter.size for parameter in found.graph.unused)
    assert sum(part.parameters for part in parts) == found.parameters - unused
    for share in ("share_macs", "share_parameters", "share_bytes"):
        assert sum(getattr(part, share) for part in parts) == pytest.approx(1)


def test_halving_the_size_and_doubling_the_maps_keeps_the_cost() -> None:
    """ResNet-34 without its shortcuts: a 3x3 of 2c maps on a quarter of the places costs as much.

    Stage 2 has 8 layers of 3·3·128·128·28·28 but for the first, which reads 64 maps:
    7.5·115,605,504 = 867,041,280.
    """
    parts = stages(cost(atlas.graph("plain34"), ((1, 3, 224, 224),)).lines)
    assert [part.size for part in parts] == [(112, 112), (56, 56), (28, 28), (14, 14), (7, 7), ()]
    assert [part.channels for part in parts] == [64, 64, 128, 256, 512, 1000]
    full = 3 * 3 * 128 * 128 * 28 * 28
    assert [part.macs for part in parts[1:5]] == [
        6 * full,
        *(full * 15 // 2, full * 23 // 2, full * 11 // 2),
    ]


def test_maps_in_the_order_of_another_network() -> None:
    """Swin keeps height and width in the middle, (N, H, W, C), and works in windows between.

    A block at 56: 56²·96·(288 + 96 + 384 + 384) and twice 64·3·49·49·32 = 376,320,000; two of them
    and the embedding, 56²·96·48 = 14,450,688. Where one window covers the map no position is left.
    """
    parts = stages(cost(atlas.graph("swin_t"), ((1, 3, 224, 224),)).lines)
    assert [part.size for part in parts] == [(56, 56), (28, 28), (14, 14), (7, 7), ()]
    assert parts[0].macs == 2 * 376_320_000 + 14_450_688
    assert parts[-1].channels == 1000


def test_branches_that_halve_are_one_stage_before_and_one_after() -> None:
    parts = stages(cost(atlas.graph("inception_v3"), ((1, 3, 299, 299),)).lines)
    assert [part.size[0] for part in parts if part.size] == [149, 147, 73, 71, 35, 17, 8]


def test_up_again_is_another_stage() -> None:
    parts = stages(cost(atlas.graph("unet-padded"), ((1, 1, 512, 512),)).lines)
    sides = [part.size[0] for part in parts]
    assert sides == [512, 256, 128, 64, 32, 64, 128, 256, 512]
