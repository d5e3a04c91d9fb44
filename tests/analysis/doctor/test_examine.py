"""No false alarm, an order, and no crash on any input that a network could be given."""

import pytest
import torch
from ailing import tutorial_alexnet
from references import torchvision
from torch import Tensor, nn

from convatlas import atlas
from convatlas.analysis.doctor.examine import Examination, examine
from convatlas.capture.capture import capture


def at_home(name: str, *, training: bool = False) -> Examination:
    graph = atlas.graph(name, training=training)
    return examine(graph, tuple((2, *shape[1:]) for shape in graph.inputs))


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_published_networks_at_their_own_input(name: str) -> None:
    """They run, in training too; what is told of them is told of the papers' own choices."""
    for training in (False, True):
        found = at_home(name, training=training)
        assert found.fits
        assert {f.what for f in found.findings if f.weight == "warning"} <= {"unread positions"}


HEALTHY = (
    *("lenet5", "lenet-bn", "alexnet", "vgg16", "vgg16@torchvision", "googlenet", "unet"),
    *("resnet18", "resnet50@torchvision", "inception_v3", "densenet121", "mobilenet_v1", "swin_t"),
)


@pytest.mark.parametrize("name", HEALTHY)
def test_no_false_alarm(name: str) -> None:
    assert at_home(name).healthy


@pytest.mark.parametrize(
    "build", ["resnet50", "vgg16", "mobilenet_v3_large", "efficientnet_b0", "shufflenet_v2_x1_0"]
)
def test_no_false_alarm_on_networks_of_others(build: str) -> None:
    with torch.device("meta"):
        module = torchvision.models.get_model(build, weights=None)
    graph = capture(module, (2, 3, 224, 224), training=False)
    found = examine(graph, graph.inputs)
    assert found.healthy, [f.says for f in found.findings]


def test_the_resnet_of_the_paper_skips_three_quarters() -> None:
    """1×1 with stride 2 reads every other row and column: a quarter."""
    (warning, *notes) = at_home("resnet50").findings
    assert (warning.what, warning.weight) == ("unread positions", "warning")
    assert warning.says.startswith("75% of what is computed there is never read: stage1.block3")
    assert all(note.weight == "note" for note in notes)


def test_the_worst_comes_first() -> None:
    module = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(8), nn.Conv2d(4, 4, 3, padding=1)),
        *(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)),
    )
    graph = capture(module, (2, 1, 8, 8), training=False)
    found = examine(graph, ((1, 1, 8, 8),), training=True)
    assert [f.weight for f in found.findings] == ["error", "warning", "warning", "note"]
    assert not found.fits
    assert examine(graph, ((1, 1, 8, 8),)).fits


class Two(nn.Module):
    """A picture and a vector, in either order."""

    def __init__(self, *, vector_first: bool) -> None:
        super().__init__()
        self.vector_first = vector_first
        self.conv, self.dense = nn.Conv2d(3, 4, 3), nn.Linear(5, 4)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        picture, vector = (b, a) if self.vector_first else (a, b)
        return self.conv(picture).mean((2, 3)) + self.dense(vector)


@pytest.mark.parametrize(
    ("module", "shapes"),
    [
        (nn.Linear(7, 3), [(1, 7)]),
        (nn.Sequential(nn.Conv1d(2, 3, 3, 2), nn.BatchNorm1d(3)), [(1, 2, 9)]),
        (nn.Sequential(nn.Conv1d(2, 3, 3, 2), nn.BatchNorm1d(3)), [(1, 2, 3)]),
        (nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.MaxPool3d(2)), [(1, 1, 4, 6, 8)]),
        (nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.MaxPool3d(2)), [(1, 1, 2, 2, 2)]),
        (Two(vector_first=False), [(1, 3, 9, 11), (1, 5)]),
        (Two(vector_first=True), [(1, 5), (1, 3, 9, 11)]),
        (nn.Conv2d(3, 4, 3), [(1, 3, 5, 99)]),
        (nn.Embedding(10, 4), [(1, 3)]),
        (nn.ReLU(), [(1, 3, 1, 1)]),
        (nn.ConvTranspose2d(3, 4, 2, 2), [(1, 3, 5, 7)]),
        (nn.Upsample(scale_factor=2), [(1, 3, 5, 7)]),
        (nn.LSTM(4, 5, batch_first=True), [(1, 3, 4)]),
        (nn.TransformerEncoderLayer(8, 2, batch_first=True), [(1, 5, 8)]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_whatever_it_is_given(module: nn.Module, shapes: list[tuple[int, ...]]) -> None:
    graph = capture(module, shapes, training=False)
    found = examine(graph, tuple(shapes), training=True)
    assert all(f.says and f.weight in ("error", "warning", "note") for f in found.findings)


@pytest.mark.parametrize("shape", [(1, 1, 28, 300), (1, 1, 300, 28), (1, 1, 200, 224)])
def test_pictures_that_are_not_square(shape: tuple[int, ...]) -> None:
    graph = capture(tutorial_alexnet(), (1, 1, 224, 224), training=False)
    found = examine(graph, (shape,))
    assert found.fits == (shape == (1, 1, 200, 224))
