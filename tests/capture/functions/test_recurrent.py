"""Recurrent layers: torch's counter sees the products of each step, the graph one operation."""

import pytest
import torch
from independent import counted
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.document import read, write
from convatlas.graph.propagate import propagate
from convatlas.graph.recurrent import Recurrent


class First(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> object:
        return self.layer(x)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_layers(kind: type[nn.RNNBase], layers: int, *, both: bool, batch_first: bool) -> None:
    net = First(kind(4, 6, layers, bidirectional=both, batch_first=batch_first)).to("meta")
    x = torch.empty(5, 3, 4, device="meta")
    graph = capture(net, x)
    made = propagate(graph)
    assert made.macs == counted(net, x)[""]
    outputs, state = net(x)
    expected = [outputs, *(state if isinstance(state, tuple) else [state])]
    assert [made.shapes[node] for _, node in graph.outputs] == [tuple(e.shape) for e in expected]
    assert not graph.unused
    assert not graph.unknown
    assert read(write(graph)) == graph
    longer = (7, 2, 4)
    assert propagate(graph, (longer,)).measures == propagate(capture(net, longer)).measures


def test_gates_by_hand() -> None:
    # 5 steps of 3 sequences, four gates of 6 from 4 values and 6 of the state
    assert propagate(capture(First(nn.LSTM(4, 6)), (5, 3, 4))).macs == 5 * 3 * 4 * 6 * (4 + 6)


def test_projection_and_a_state_that_is_given() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.LSTM(4, 6, 2, proj_size=3, bidirectional=True)

        def forward(self, x: Tensor, h: Tensor, c: Tensor) -> object:
            return self.layer(x, (h, c))

    net = Net().to("meta")
    given = [torch.empty(s, device="meta") for s in ((5, 2, 4), (4, 2, 3), (4, 2, 6))]
    graph = capture(net, given)
    assert propagate(graph).macs == counted(net, *given)[""]
    assert len(graph.nodes[3].inputs) == 3
    made = propagate(graph).shapes
    assert [made[node] for _, node in graph.outputs] == [(5, 2, 6), (4, 2, 3), (4, 2, 6)]


def test_a_loop_of_cells_holds_for_its_number_of_steps() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(4, 6)

        def forward(self, x: Tensor) -> Tensor:
            state = x.new_zeros(x.shape[0], 6)
            for step in range(x.shape[1]):
                state = self.cell(x[:, step], state)
            return state

    graph = capture(Net(), (3, 5, 4))
    assert propagate(graph).macs == 5 * 3 * 3 * 6 * (4 + 6)
    assert sum(isinstance(node.operation, Recurrent) for node in graph.nodes) == 5
    assert propagate(graph, ((8, 5, 4),)).shapes[-1] == (8, 6)
    for steps in (4, 6):
        with pytest.raises(ValueError, match=r"takes another way|cannot take"):
            propagate(graph, ((3, steps, 4),))


def test_a_wrong_number_of_values() -> None:
    with pytest.raises(
        ValueError, match=r"layer raises RuntimeError: input.size.*Expected 4, got 5"
    ):
        capture(First(nn.GRU(4, 6)), (5, 3, 5))
