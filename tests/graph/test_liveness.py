from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from references import torchvision
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.document import read, write
from convatlas.graph.graph import BYTES, Graph
from convatlas.graph.layout import layouts
from convatlas.graph.liveness import Liveness, liveness
from convatlas.graph.operation import elements
from convatlas.graph.propagate import propagate


class Doing(nn.Module):
    def __init__(self, what: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Any:
        return self.what(x)


def of(graph: Graph) -> Liveness:
    return liveness(graph, propagate(graph))


def test_a_chain_holds_what_is_read_and_what_is_made() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5))
    found = of(capture(net, (2, 1, 8, 8)))
    image, maps, pooled, scores = 4 * 2 * 64, 4 * 2 * 4 * 36, 4 * 2 * 36, 4 * 2 * 5
    assert found.allocated == (image, maps, pooled, 0, scores)
    assert found.alive == (image, image + maps, maps + pooled, pooled, pooled + scores)
    assert (found.peak, found.at) == (image + maps, 1)
    assert found.total == image + maps + pooled + scores


def test_in_place_and_views_make_nothing_and_keep_what_they_share_alive() -> None:
    def forward(x: Tensor) -> Tensor:
        y = torch.exp(x)
        view = y.view(-1)
        z = torch.tanh(x)
        return z.relu_() + view.view(2, 8)  # y is alive until here

    size = 4 * 16
    found = of(capture(Doing(forward), (2, 8)))
    assert found.allocated == (size, size, 0, size, 0, 0, size)
    assert found.alive[-1] == 3 * size


def test_a_reshape_out_of_order_is_a_copy() -> None:
    graph = capture(Doing(lambda x: x.transpose(1, 2).reshape(2, -1)), (2, 3, 5))
    assert of(graph).allocated == (120, 0, 120)
    in_order = capture(Doing(lambda x: x.reshape(2, -1)), (2, 3, 5))
    assert of(in_order).allocated == (120, 0)


def test_a_result_stays_to_the_end_and_what_nobody_reads_goes_at_once() -> None:
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        torch.sin(x)
        early = torch.cos(x)
        return early, early.exp().log()

    found = of(capture(Doing(forward), (2, 8)))
    assert found.alive == (64, 128, 128, 128, 192)


def test_bytes_go_by_the_kind_of_number_and_places_of_maxima_count_when_asked_for() -> None:
    half = capture(nn.ReLU(), torch.zeros(2, 8, dtype=torch.float16))
    assert of(half).allocated == (32, 32)
    places = capture(nn.MaxPool2d(2, return_indices=True), (1, 1, 4, 4))
    assert of(places).allocated == (64, 16, 32)


def test_a_parameter_used_as_it_is_takes_nothing_here() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(8))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.scale

    assert sum(of(capture(Scaled(), (2, 8))).allocated) == 128


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "swin_t", "squeezenet1_0"])
def test_networks_by_the_definition(name: str) -> None:
    """Alive at a step: made by then, and read then or later, through any view."""
    with torch.device("meta"):
        net = getattr(torchvision.models, name)()
    graph = capture(net, (2, 3, 64, 96), training=False)
    for inputs in (((2, 3, 64, 96),), ((1, 3, 96, 96),)):
        made = propagate(graph, inputs)
        owners = [place.owner for place in layouts(graph, made)]
        until = dict.fromkeys((owners[index] for _, index in graph.outputs), len(owners))
        for index, node in enumerate(graph.nodes):
            for root in (owners[index], *(owners[i] for i in node.inputs[: node.data])):
                until[root] = max(until.get(root, 0), index)
        sizes = {
            root: elements(made.shapes[root]) * BYTES[graph.nodes[root].dtype]
            for root in until
            if graph.nodes[root].inputs or not graph.nodes[root].parameters
        }
        expected = [
            sum(size for root, size in sizes.items() if root <= step <= until[root])
            for step in range(len(owners))
        ]
        assert list(liveness(graph, made).alive) == expected


def test_a_graph_from_a_document_has_the_same_memory() -> None:
    with torch.device("meta"):
        graph = capture(torchvision.models.swin_t(), (1, 3, 64, 64), training=False)
    assert of(read(write(graph))) == of(graph)


def test_a_changed_graph_is_planned_anew() -> None:
    graph = capture(nn.Sequential(nn.ReLU(), nn.ReLU()), (2, 8))
    assert of(graph).peak == 128
    both = replace(graph, outputs=(("first", 1), ("second", 2)))
    assert of(both).alive == (64, 128, 128)
