import torch
from torch import Tensor, nn

from convatlas.analysis.tape import Tape, active, taped
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


def tape(module: nn.Module, shape: tuple[int, ...], *, training: bool = True) -> Tape:
    graph = capture(module.train(), shape)
    return taped(graph, propagate(graph), training=training)


def test_what_is_kept_is_numbered_by_storage() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten())
    found = tape(net, (1, 1, 6, 6))
    assert [value.storage for value in found.values] == [0, 1, 1, 3, 3]
    # the convolution its input; ReLU its result, which is the pool's input; the pool its places
    assert found.kept == ((), (0,), (1,), (1, 5), ())
    assert found.sizes == (144, 128, 0, 32, 0, 8 * 8)


def test_places_that_are_handed_out_are_those_that_are_kept() -> None:
    class Places(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = nn.functional.max_pool2d(self.conv(x), 2, return_indices=True)[1]
            return made

    found = tape(Places(), (1, 1, 6, 6))
    assert found.values[3].storage == found.kept[2][-1] == 4
    assert found.sizes == (144, 128, 32, 0, 64)


def test_gradients_flow_from_the_first_trained_weight_on_and_not_through_places() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fixed, self.scale = nn.Conv2d(1, 2, 3), nn.Parameter(torch.ones(1))
            self.fixed.requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            x = self.fixed(x) * self.scale
            return (x > 0).float() + x

    found = tape(Net(), (1, 1, 6, 6))
    flows = [value.grad for value in found.values]
    # image, convolution, the weight, product, comparison, cast, sum
    assert flows == [False, False, True, True, False, False, True]
    assert found.values[2].storage is None
    assert found.kept[3] == (1,)


def test_the_mode_of_batch_norm_and_dropout() -> None:
    graph = capture(nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(), nn.ReLU()).train(), (4, 3))
    _, norm, dropout, relu = graph.nodes
    assert [active(node, None) for node in (norm, dropout, relu)] == [True, True, False]
    assert not active(norm, False)
    still = taped(graph, propagate(graph), training=False)
    assert still.values[2].storage == 1
