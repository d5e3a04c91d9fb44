import pytest
from torch import nn

from convatlas import atlas
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.workbench.ask import Network, Sizes, ask, in_training, module_of


def test_by_name_as_graph_and_as_module() -> None:
    graph = atlas.graph("lenet-bn")
    assert ask("lenet-bn").graph == graph
    assert ask(graph, "28", batch=3).inputs == ((3, 1, 28, 28),)
    asked = ask(nn.Conv2d(3, 4, 3), "3x8x9", batch=2)
    assert (asked.graph.name, asked.inputs) == ("Conv2d", ((2, 3, 8, 9),))
    assert ask(nn.Bilinear(2, 3, 4), ("2", "3")).inputs == ((1, 2), (1, 3))


@pytest.mark.parametrize(
    ("network", "sizes", "says"),
    [
        ("resnet5O", (), "unknown network 'resnet5O'; did you mean 'resnet50'"),
        (nn.Conv2d(3, 4, 3), (), "Conv2d does not say what it takes; give its input"),
        (nn.Conv2d, "3x8x8", r"Conv2d is a class; give an instance of it, Conv2d\(…\)"),
        (3, "3x8x8", "int is no network: expected an nn.Module, .* found int"),
        (nn.Conv2d(3, 4, 3), "8", "takes 3 channels"),
        (nn.Conv2d(3, 4, 3), "1x8x8", "takes 3 channels"),
        (nn.Conv2d(3, 4, 3), "3x2x2", "a window of 3 does not fit into 2"),
        (nn.Conv2d(3, 4, 3), "0x0", "is no input size"),
        (nn.Conv2d(3, 4, 3), ("3x8x8", "3x8x8"), "2 were given|3 were given"),
        ("lenet5", "3x32x32", "lenet5 takes 1 channels"),
    ],
)
def test_what_cannot_be_asked(network: Network, sizes: str | tuple[str, ...], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        ask(network, sizes)
    assert "\n" not in str(caught.value)


def test_a_batch_of_none() -> None:
    with pytest.raises(UserError, match="the batch is 1 or more, given 0"):
        ask("lenet5", batch=0)


def test_in_training() -> None:
    for name in ("lenet-bn", "googlenet"):
        assert in_training(name, ask(name)) == atlas.graph(name, training=True)
    graph = atlas.graph("lenet-bn")
    assert in_training(graph, ask(graph)) is graph
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    asked = ask(module, "1x8x8")
    assert not asked.graph.training
    assert in_training(module, asked) == capture(
        module, (1, 1, 8, 8), training=True, name="Sequential"
    )


def test_modules() -> None:
    module = nn.Linear(2, 3)
    assert module_of(module) is module
    assert module_of("lenet5") is None
    assert module_of(atlas.graph("lenet5")) is None


@pytest.mark.parametrize("sizes", ["3x64x64", "64", 64, (3, 64, 64), ["3x64x64"]])
def test_sizes_as_text_or_as_numbers(sizes: Sizes) -> None:
    assert ask("resnet18", sizes, batch=2).inputs == ((2, 3, 64, 64),)


def test_sizes_that_are_none() -> None:
    with pytest.raises(UserError, match="is no input size; write '3x224x224', 224 or"):
        ask("resnet18", [(3, 4)])  # type: ignore[list-item]
