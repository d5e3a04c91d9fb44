"""What stops an input, and that every change which is proposed does what it says, in torch."""

from copy import deepcopy

import pytest
import torch
from ailing import changed, layers_run, runs, tutorial_alexnet
from torch import Tensor, nn

from convatlas.analysis.doctor.examine import examine
from convatlas.analysis.doctor.finding import Finding
from convatlas.capture.capture import capture
from convatlas.graph.operation import Shape

LAYER = (" in ", ": ")


def stopped(module: nn.Module, home: Shape, asked: Shape, *, training: bool = False) -> Finding:
    """The one finding on an input that is not taken, of a module captured at one that is."""
    with torch.device("meta"):
        graph = capture(deepcopy(module), home, training=training)
    (found,) = examine(graph, (asked,)).findings
    assert found.weight == "error"
    assert not runs(module, asked, training=training)
    return found


def check(module: nn.Module, found: Finding, asked: Shape) -> int:
    """Apply every change to the module and run it; returns how many were tried."""
    tried = 0
    for change in found.changes:
        if change.startswith("an input of ") and "keeps every map" not in change:
            tried += 1
            first = change.removeprefix("an input of ").split(" ")[0].rstrip(",")
            assert runs(module, (asked[0], *map(int, first.split("×")))), change
        elif found.place and f" in {found.place}: " in change:
            tried += 1
            mended = changed(module, change)
            then = change.split(": ", 1)[1]
            if then in ("then all layers pass", "for this input"):
                assert runs(mended, asked), change
            else:
                assert isinstance(mended, nn.Sequential)
                passed = list(layers_run(deepcopy(mended), asked))
                assert found.place in passed, change
                assert not runs(mended, asked), change
                if "is the next to stop it" in then:
                    stop = then.split(", ")[1].split(" ")[0]
                    following = [name for name, _ in mended.named_children()][len(passed)]
                    assert following == stop, change
    return tried


def test_the_tutorials_alexnet_at_28() -> None:
    module = tutorial_alexnet()
    found = stopped(module, (1, 1, 224, 224), (1, 1, 28, 28))
    assert (found.what, found.place) == ("collapse", "5")
    assert list(layers_run(tutorial_alexnet(), (1, 1, 28, 28))) == ["0", "1", "2", "3", "4"]
    assert found.says == (
        "max pool 3×3, stride 2 is given 2×2, nothing would be left: "
        "a window of 3 does not fit into 2; it needs at least 3"
    )
    assert found.changes == (
        "an input of 1×193×193 to 1×224×224",
        "an input of 1×65×65 or more keeps every map from vanishing, with dense layers to match",
        "rounding up (ceil_mode=True) in 5: lets this layer pass, 12 is the next to stop it",
        "padding=1 in 5: lets this layer pass, 12 is the next to stop it",
        "kernel_size=2 in 5: lets this layer pass, 12 is the next to stop it",
    )
    assert check(module, found, (1, 1, 28, 28)) == 4


def test_the_tutorials_alexnet_between() -> None:
    """At 100 all maps are there: a = 23, b = 11, c = 5, d = 2, so 256·2·2 = 1,024 values."""
    module = tutorial_alexnet()
    found = stopped(module, (1, 1, 224, 224), (1, 1, 100, 100))
    assert (found.what, found.place) == ("dense", "14")
    assert found.says == "takes 6,400 values = 256·5·5, but gets 1,024 from maps of 256×2×2"
    assert "in_features=1024 in 14: for this input" in found.changes
    assert check(module, found, (1, 1, 100, 100)) == 2
    pooled = nn.Sequential(*module[:13], nn.AdaptiveAvgPool2d(5), *module[13:])
    assert "an adaptive pool before the flattening: for any input" in found.changes
    assert all(runs(pooled, (1, 1, side, side)) for side in (65, 100, 224, 300))


def test_the_tutorials_alexnet_not_square() -> None:
    module = tutorial_alexnet()
    found = stopped(module, (1, 1, 224, 224), (1, 1, 100, 200))
    assert found.says == "takes 6,400 values = 256·5·5, but gets 2,560 from maps of 256×2×5"
    assert check(module, found, (1, 1, 100, 200)) == 2


@pytest.mark.parametrize(
    ("module", "home", "asked", "what"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 4, 5), nn.Conv2d(4, 4, 7)),
            *((1, 3, 32, 32), (1, 3, 8, 8), "collapse"),
        ),
        (
            nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2), nn.AvgPool2d(2)),
            *((1, 3, 32, 32), (1, 3, 4, 4), "collapse"),
        ),
        (
            nn.Sequential(nn.MaxPool2d(4, 4, 1), nn.MaxPool2d(4, 4, 1)),
            *((1, 3, 32, 32), (1, 3, 3, 3), "collapse"),
        ),
        (nn.Sequential(nn.Conv2d(3, 4, (7, 1))), (1, 3, 32, 32), (1, 3, 5, 9), "collapse"),
        (nn.Sequential(nn.Conv2d(3, 4, 3, dilation=4)), (1, 3, 32, 32), (1, 3, 5, 5), "collapse"),
        (nn.Sequential(nn.Conv1d(3, 4, 5)), (1, 3, 32), (1, 3, 4), "collapse"),
        (nn.Sequential(nn.Conv3d(3, 4, 5)), (1, 3, 8, 8, 8), (1, 3, 4, 4, 4), "collapse"),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 5)),
            *((1, 3, 8, 8), (1, 3, 9, 8), "dense"),
        ),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(784, 5)),
            *((1, 1, 28, 28), (1, 1, 32, 32), "dense"),
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 3)), (1, 3, 8, 8), (1, 1, 8, 8), "channels"),
    ],
)
def test_what_stops_a_network_and_what_mends_it(
    module: nn.Module, home: Shape, asked: Shape, what: str
) -> None:
    found = stopped(module, home, asked)
    assert found.what == what
    if what == "channels":
        assert found.says == "takes 3 channels, but 1 come from the input"
        assert found.changes == ("an input of 3 channels", "in_channels=1 in 0")
    else:
        assert check(module, found, asked) >= 2


class Skip(nn.Module):
    """A map taken down and up again meets itself."""

    def forward(self, x: Tensor) -> Tensor:
        low = nn.functional.interpolate(nn.functional.max_pool2d(x, 2), scale_factor=2.0)
        return torch.cat((x, low), 1)


def test_branches_that_do_not_meet() -> None:
    module = Skip()
    found = stopped(module, (1, 3, 8, 8), (1, 3, 9, 9))
    assert found.what == "shape"
    assert "cannot join" in found.says
    assert found.changes == ("an input of 3×2×2, 3×4×4 and so on",)
    assert check(module, found, (1, 3, 9, 9)) == 1


def test_a_batch_of_one() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    found = stopped(module, (2, 3, 8, 8), (1, 3, 3, 3), training=True)
    assert (found.what, found.place) == ("batch of one", "1")
    assert found.changes == ("a batch of 2 or more (drop the last one if it is smaller)",)
    assert runs(module, (2, 3, 3, 3), training=True)
