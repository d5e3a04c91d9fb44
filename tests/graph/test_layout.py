from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.layout import aliases, layouts, reordered
from convatlas.graph.propagate import propagate

SHAPE = (2, 3, 4, 6)


class Doing(nn.Module):
    def __init__(self, what: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Tensor:
        return self.what(x)


def turned(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


CASES: dict[str, Callable[[Tensor], Tensor]] = {
    "view": lambda x: x.view(2, -1),
    "flatten": lambda x: x.flatten(1),
    "permute": turned,
    "reshape after permute": lambda x: turned(x).reshape(2, 24, 3),
    "joining what was permuted": lambda x: turned(x).reshape(2, -1),
    "flatten after transpose": lambda x: x.transpose(2, 3).flatten(2),
    "flatten before the transposed axes": lambda x: x.transpose(2, 3).flatten(0, 1),
    "contiguous": lambda x: x.contiguous(),
    "contiguous after permute": lambda x: turned(x).contiguous(),
    "there and back": lambda x: turned(x).permute(0, 3, 1, 2).contiguous(),
    "slice": lambda x: x[:, 1:, ::2],
    "slice and flatten": lambda x: x[:, 1:].flatten(1),
    "slice of the batch and flatten": lambda x: x[1:].flatten(1),
    "select": lambda x: x[:, 1],
    "select and flatten": lambda x: x[:, :, 2].flatten(1),
    "unsqueeze, squeeze": lambda x: x.unsqueeze(2).squeeze(2),
    "unsqueeze at the end": lambda x: turned(x).unsqueeze(-1),
    "expand": lambda x: x[:, :1].expand(-1, 5, -1, -1),
    "expand and flatten": lambda x: x[:, :1].expand(-1, 5, -1, -1).flatten(1),
    "chunk": lambda x: x.chunk(3, dim=1)[1],
    "relu": F.relu,
    "relu in place": lambda x: F.relu(x, inplace=True),
    "relu of what is permuted": lambda x: turned(x).relu(),
    "sum of two orders": lambda x: turned(x) + x.reshape(2, 4, 6, 3),
    "sum in place": lambda x: x.add_(x),
    "dropout in evaluation": lambda x: F.dropout(x, 0.5, training=False),
    "dropout of nothing": lambda x: F.dropout(x, 0.0, training=True),
    "dropout": lambda x: F.dropout(turned(x), 0.5, training=True),
    "pool of channels last": lambda x: F.max_pool2d(x.permute(0, 3, 1, 2), 2),
    "pool": lambda x: F.avg_pool2d(x, 2),
    "norm of channels last": lambda x: F.layer_norm(turned(x), (3,)),
    "cat of channels last": lambda x: torch.cat([x.permute(0, 3, 1, 2)] * 2, 1),
    "pad of channels last": lambda x: F.pad(x.permute(0, 3, 1, 2), (1, 1)),
    "attention": lambda x: F.scaled_dot_product_attention(*[x.transpose(1, 2)] * 3),
    "product": lambda x: turned(x) @ x.transpose(1, 2).transpose(2, 3).transpose(2, 3),
    "softmax": lambda x: turned(x).softmax(-1),
}


@pytest.mark.parametrize("name", CASES)
def test_whose_storage_and_which_strides_as_torch_does_it(name: str) -> None:
    module = Doing(CASES[name])
    graph = capture(module, SHAPE)
    place = layouts(graph, propagate(graph))[graph.outputs[0][1]]
    given = torch.rand(SHAPE)
    made = module(given)
    shared = made.untyped_storage().data_ptr() == given.untyped_storage().data_ptr()
    assert (place.owner == 0) == shared
    moving = [axis for axis, size in enumerate(made.shape) if size > 1]
    assert [place.strides[a] for a in moving] == [made.stride(a) for a in moving]


def test_one_picture_needs_no_copy_where_two_do() -> None:
    graph = capture(Doing(lambda x: x.transpose(0, 1).reshape(-1, 5)), (2, 3, 5))
    assert layouts(graph, propagate(graph))[2].owner == 2
    assert layouts(graph, propagate(graph, ((1, 3, 5),)))[2].owner == 0


def test_a_mode_overrules_what_was_captured() -> None:
    graph = capture(nn.Dropout(0.5), (2, 4), training=False)
    node = graph.nodes[-1]
    assert aliases(node)
    assert not aliases(node, training=True)
    assert [place.owner for place in layouts(graph, propagate(graph), training=True)] == [0, 1]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (lambda x: x.flatten(1).relu(), False),
        (lambda x: turned(x).relu(), False),
        (lambda x: turned(x).relu().flatten(1), True),
        (lambda x: x.contiguous(), True),
    ],
)
def test_strides_are_followed_only_where_something_asks(
    what: Callable[[Tensor], Tensor], expected: bool
) -> None:
    assert reordered(capture(Doing(what), SHAPE)) is expected
