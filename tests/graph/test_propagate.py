import pytest
import torch
from torch import Tensor, nn

from convatlas import atlas
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.propagate import DoesNotFit, OtherWay, propagate


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 5))


def test_totals_are_the_sums_of_the_nodes() -> None:
    """8x8: conv 6x6x2x9 = 648 MACs, dense 18x5 = 90; work: biases 72 + 5, pool 18x4."""
    made = propagate(capture(small(), (1, 1, 8, 8)))
    assert made.shapes == ((1, 1, 8, 8), (1, 2, 6, 6), (1, 2, 3, 3), (1, 18), (1, 5))
    assert (made.macs, made.work) == (648 + 90, 77 + 72)


def test_other_sizes_as_torch_makes_them() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.AdaptiveAvgPool2d(3), nn.Flatten())
    graph = capture(module, (1, 1, 20, 20))
    for n, height, width in ((1, 7, 9), (3, 20, 20), (2, 64, 31)):
        expected = module(torch.zeros(n, 1, height, width)).shape
        assert propagate(graph, ((n, 1, height, width),)).shapes[-1] == tuple(expected)


def test_what_does_not_fit_is_named_and_the_rest_is_kept() -> None:
    graph = capture(small(), (1, 1, 8, 8), name="small")
    with pytest.raises(DoesNotFit, match=r"small cannot take 1×1×9×10: 3 \(Dense\) takes 18") as no:
        propagate(graph, ((1, 1, 9, 10),))
    assert (no.value.index, no.value.path) == (4, "3")
    assert no.value.made.shapes == ((1, 1, 9, 10), (1, 2, 7, 8), (1, 2, 3, 4), (1, 24))
    assert no.value.why.startswith("takes 18 values, given 24")


def test_the_number_of_inputs() -> None:
    graph = capture(small(), (1, 1, 8, 8))
    with pytest.raises(UserError, match="takes 1 inputs, given 2"):
        propagate(graph, ((1, 1, 8, 8), (1, 1)))


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x) if x.shape[2] > 6 else x


def test_another_way_of_the_code_is_not_guessed() -> None:
    graph = capture(Branching(), (1, 1, 8, 8))
    assert len(propagate(graph, ((1, 1, 7, 3),)).measures) == 2
    with pytest.raises(OtherWay, match="takes another way there"):
        propagate(graph, ((1, 1, 6, 8),))


def test_equal_operations_count_each_time() -> None:
    """resnet18@torchvision's 1,814,073,344 multiply-adds for one picture."""
    made = propagate(atlas.graph("resnet18"), ((1, 3, 224, 224),))
    assert made.macs == 1_814_073_344
