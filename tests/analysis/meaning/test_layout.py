import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from convatlas.analysis.meaning.layout import Layout, moved
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate

CHAINS = [
    lambda x: x.permute(0, 2, 3, 1).flatten(1, 2),
    lambda x: x.flatten(2).transpose(1, 2),
    lambda x: x.view(2, 3, 4, 6, 2, 2).permute(0, 3, 5, 1, 2, 4),
    lambda x: x.view(2, 2, 6, 6, 4).transpose(1, 2)[:, 3:5].reshape(2, 4, 6, 4),
    lambda x: x.transpose(1, 3)[:, 1].unsqueeze(1),
    lambda x: x.view(2, 12, 24)[:, 4].view(2, 6, 4),
]


class Does(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize("chain", CHAINS)
def test_a_layout_finds_the_values_torch_finds(chain: Callable[[Tensor], Tensor]) -> None:
    shape = (2, 12, 6, 4)
    graph = capture(Does(chain), shape)
    shapes = propagate(graph).shapes
    layout = Layout.of(shape)
    for index, node in enumerate(graph.nodes[1:], 1):
        given = tuple(shapes[i] for i in node.inputs)
        layout = moved(layout, node.operation, given, shapes[index])
    places = [layout.offset]
    for size, step in layout.factors:
        places = [place + n * step for place in places for n in range(size)]
    expected = chain(torch.arange(math.prod(shape)).view(shape)).flatten()
    assert places == expected.tolist()


def test_equal_orders_have_equal_factors_however_axes_are_grouped() -> None:
    x = Layout.of((2, 3, 4, 5))
    assert x.untouched
    assert x.factors == Layout.of((6, 20)).factors == ((120, 1),)
