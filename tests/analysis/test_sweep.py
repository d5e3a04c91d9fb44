import pytest
from torch import nn

from convatlas import atlas
from convatlas.analysis.cost import cost
from convatlas.analysis.memory import training_memory
from convatlas.analysis.sweep import parse_range, sweep
from convatlas.atlas.training import in_training
from convatlas.capture.capture import capture
from convatlas.errors import UserError


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("224", (224,)),
        ("32,64,128", (32, 64, 128)),
        ("3..6", (3, 4, 5, 6)),
        ("32..128:32", (32, 64, 96, 128)),
        ("1,8..10", (1, 8, 9, 10)),
        ("5..5", (5,)),
    ],
)
def test_ranges(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_range(text, "--sides") == numbers


@pytest.mark.parametrize(
    "text",
    ["", "a", "0", "0..4", "-3", "9..3", "1..9:0", "1..9:-1", "1...3", "1..", "3:2:1", "1,", "٣"],
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(UserError, match=r"--sides .* is no range; write 224"):
        parse_range(text, "--sides")


@pytest.mark.parametrize("text", ["1..999999999", "1..12000,1..12000"])
def test_too_many(text: str) -> None:
    with pytest.raises(UserError, match=r"has more than 20,000 values; take larger steps"):
        parse_range(text, "--sides")


def test_points_are_what_show_says() -> None:
    graph = atlas.graph("resnet18")
    for point in sweep(lambda _side, _batch: (graph, in_training(graph)), (64, 65), (1, 4)):
        inputs = ((point.batch, 3, point.side, point.side),)
        found = cost(graph, inputs)
        assert (point.macs, point.activations) == (found.macs, found.live.total)
        assert point.peak == found.live.peak
        assert point.training == training_memory(in_training(graph), inputs).peak
        side = -(-point.side // 32)
        assert point.map == (512, side, side)
        assert point.output == (1000,)
        assert not point.fails


def test_what_does_not_fit_says_why() -> None:
    graph = atlas.graph("lenet5")
    fits, fails = sweep(lambda _side, _batch: (graph, graph), (35, 36), (1,))
    assert not fits.fails
    assert "f6 (Dense) takes 120 values, given 480" in fails.fails
    assert (fails.macs, fails.peak, fails.training) == (0, 0, None)


def test_no_training_on_single_values() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    graph = capture(module, (2, 1, 4, 4), training=False)
    alone, two = sweep(lambda _side, _batch: (graph, in_training(graph)), (3,), (1, 2))
    assert alone.training is None
    assert two.training is not None
    assert alone.macs == two.macs // 2 == 18
