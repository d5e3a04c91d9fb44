"""Networks of every build: shared, tied, frozen, scripted, hooked; any inputs and outputs."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
import torch.utils.checkpoint
from torch import Tensor, nn

from convatlas.capture.capture import CaptureError, capture
from convatlas.graph.document import read, write
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import propagate

CONV = 4 * 4 * 9 * 64  # nn.Conv2d(4, 4, 3, padding=1) on 8×8


class Wired(nn.Module):
    """Parts joined by a function that sees them as ``net``."""

    def __init__(self, function: Any, **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


def conv() -> nn.Conv2d:
    return nn.Conv2d(4, 4, 3, padding=1)


def captured(module: nn.Module, example: Any = (2, 4, 8, 8), **more: Any) -> Graph:
    graph = capture(module, example, **more)
    assert read(write(graph)) == graph
    assert not graph.unknown
    return graph


def test_a_module_used_three_times_owns_its_weight_once() -> None:
    graph = captured(Wired(lambda net, x: net.a(net.a(net.a(x))), a=conv()))
    assert propagate(graph).macs == 3 * 2 * CONV
    assert graph.trainable == 4 * 4 * 9 + 4
    assert [node.path for node in graph.nodes[1:]] == ["a", "a", "a"]


def test_tied_weights_have_two_names() -> None:
    net = Wired(
        lambda net, x: net.head(net.table(x)), table=nn.Embedding(10, 4), head=nn.Linear(4, 10)
    )
    net.head.weight = net.table.weight  # type: ignore[union-attr,assignment]
    graph = captured(net, torch.zeros(2, 5, dtype=torch.long))
    assert graph.parameters[0].names == ("table.weight", "head.weight")
    assert graph.trainable == 40 + 10
    assert propagate(graph).macs == 10 * 4 * 10


def test_frozen_and_unused() -> None:
    net = Wired(lambda net, x: net.b(net.a(x)), a=conv(), b=conv(), c=conv())
    net.a.requires_grad_(requires_grad=False)
    graph = captured(net)
    assert (graph.frozen, graph.trainable) == (148, 2 * 148)
    assert [parameter.names for parameter in graph.unused] == [("c.weight",), ("c.bias",)]


def test_lists_and_tables_of_parts() -> None:
    net = Wired(
        lambda net, x: net.parts["one"](x) * net.scales[0] + net.scales[1],
        parts=nn.ModuleDict({"one": conv()}),
        scales=nn.ParameterList([nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(8))]),
    )
    graph = captured(net)
    assert not graph.unused
    assert "parts.one" in {node.path for node in graph.nodes}


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


@dataclass
class Answer:
    scores: Tensor
    maps: dict[str, Tensor]
    loss: float | None = None


@pytest.mark.parametrize(
    ("returned", "names"),
    [
        (lambda x: x, [""]),
        (lambda x: (x, [x, None]), ["0", "1.0"]),
        (lambda x: {"a": x, "b": {"c": x}}, ["a", "b.c"]),
        (lambda x: Pair(x, x), ["left", "right"]),
        (lambda x: Answer(x, {"low": x}), ["scores", "maps.low"]),
    ],
)
def test_outputs_of_every_form(returned: Any, names: list[str]) -> None:
    graph = captured(Wired(lambda net, x: returned(net.a(x)), a=conv()))
    assert graph.outputs == tuple((name, 1) for name in names)


def test_a_parameter_as_the_result() -> None:
    graph = captured(Wired(lambda net, x: net.a.weight, a=conv()))
    assert propagate(graph).shapes[graph.outputs[0][1]] == (4, 4, 3, 3)


def test_no_tensor_in_the_result() -> None:
    with pytest.raises(CaptureError, match="Wired returns NoneType, in which there is no tensor"):
        capture(Wired(lambda net, x: None), (1, 4))


class Keyed(nn.Module):
    def forward(self, image: Tensor, mask: Tensor | None = None) -> Tensor:
        return image if mask is None else image * mask


def test_inputs_by_position_and_keyword() -> None:
    graph = captured(Keyed(), [(2, 4), torch.zeros(4, dtype=torch.float64)])
    assert graph.inputs == ((2, 4), (4,))
    assert graph.nodes[1].dtype == "float64"
    named = captured(Keyed(), {"mask": (4,), "image": (2, 4)})
    assert named.inputs == ((4,), (2, 4))
    assert [node.operation.name for node in named.nodes[:2]] == ["mask", "image"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"an example is a tensor or a shape.*given 'x'"):
        capture(Keyed(), ["x"])  # type: ignore[list-item]


def test_only_the_graphs_name_and_mode_are_asked_for() -> None:
    net = nn.Sequential(conv(), nn.Dropout(0.5)).train()
    assert captured(net, training=False, name="mine").name == "mine"
    assert not captured(net, training=False).training
    assert captured(net).training


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return grad * 2


@pytest.mark.parametrize(
    ("function", "nodes"),
    [
        (lambda net, x: Doubled.apply(net.a(x)), 3),
        (lambda net, x: torch.utils.checkpoint.checkpoint(net.a, x, use_reentrant=False), 2),
        (lambda net, x: torch.utils.checkpoint.checkpoint(net.a, x, use_reentrant=True), 2),
        (lambda net, x: net.a(x.detach()).requires_grad_(), 2),
    ],
)
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("training", [True, False])
def test_autograds_own_ways(function: Any, nodes: int, *, training: bool) -> None:
    graph = captured(Wired(function, a=conv()), training=training)
    assert propagate(graph).macs == 2 * CONV
    assert len(graph.nodes) == nodes


def test_hooks_of_the_network_run() -> None:
    seen = []
    net = Wired(lambda net, x: net.a(x), a=conv())
    net.a.register_forward_pre_hook(lambda _module, given: (given[0] * 2,))
    net.a.register_forward_hook(lambda _module, _given, made: seen.append(made.shape) or made + 1)
    graph = captured(net)
    assert [type(node.operation).__name__ for node in graph.nodes[1:]] == [
        *("Arithmetic", "Conv", "Arithmetic"),
    ]
    # they ask for a size, so that there is a second look, at another
    assert seen == [(2, 4, 8, 8), (5, 4, 17, 17)]


class Calling(nn.Conv2d):
    def __call__(self, x: Tensor) -> Tensor:
        return super().__call__(x) + 1


def test_a_call_of_its_own() -> None:
    graph = captured(Calling(4, 4, 3))
    assert [type(node.operation).__name__ for node in graph.nodes[1:]] == ["Conv", "Arithmetic"]


def test_data_parallel_is_the_network_within() -> None:
    net = nn.DataParallel(nn.Sequential(conv()))
    graph = captured(net)
    assert propagate(graph).macs == 2 * CONV
    assert graph.nodes[1].path == "module.0"


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("traced", [True, False])
def test_scripted_and_traced_parts(*, training: bool, traced: bool) -> None:
    body = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))
    body.train(training)
    x = torch.zeros(2, 4, 8, 8)
    scripted = torch.jit.trace(body, x, check_trace=False) if traced else torch.jit.script(body)
    net = Wired(lambda net, x: net.body(net.a(x)), a=conv(), body=scripted)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    graph = captured(net)
    assert propagate(graph).macs == 2 * (2 * CONV + 2560)
    assert not graph.unused
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_lazy_modules_have_no_shape() -> None:
    with pytest.raises(CaptureError, match=r"0.weight has no shape yet.*run the network once"):
        capture(nn.Sequential(nn.LazyConv2d(4, 3)), (1, 3, 8, 8))
    net = nn.Sequential(nn.LazyConv2d(4, 3))
    net(torch.zeros(1, 3, 8, 8))
    assert propagate(captured(net, (1, 3, 8, 8))).macs == 3 * 4 * 9 * 36


class Remembering(nn.Module):
    """Writes into its own buffer and reads it again."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("memory", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        self.memory.mul_(0.9).add_(x.mean(0))
        return x + self.memory


def test_what_is_written_into_a_buffer_is_read_from_the_new_node() -> None:
    net = Remembering()
    graph = captured(net, torch.ones(2, 4))
    added = graph.nodes[-1]
    assert added.inputs[0] == 0
    assert graph.nodes[added.inputs[1]].operation.function == "add"  # type: ignore[attr-defined]
    assert not net.memory.any()
