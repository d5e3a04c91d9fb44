"""Cutting, joining and moving: shapes equal torch's at the captured size and at others."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


class Calls(nn.Module):
    """A function of any number of inputs as a module."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> object:
        return self.function(*inputs)


def shuffled(x: Tensor, groups: int = 2) -> Tensor:
    n, c, h, w = x.size()
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


def windows(x: Tensor, size: int = 2) -> Tensor:
    n, c, h, w = x.shape
    x = x.view(n, c, h // size, size, w // size, size)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(-1, size * size, c)


def assigned(x: Tensor) -> Tensor:
    made = torch.zeros_like(x)
    made[:, 0] = x[:, 1]
    made[..., 1:] += x[..., :-1]
    made[x > 0] = 1
    return made


def appended(x: Tensor) -> Tensor:
    token = torch.ones(1, 1, x.shape[-1])
    return torch.cat([token.expand(x.shape[0], -1, -1), x.flatten(1, 2)], dim=1)


FUNCTIONS = [
    lambda x: x.chunk(3, dim=1)[2],
    lambda x: torch.cat(x.split([1, 5], 1)[::-1], 1),
    lambda x: torch.stack(x.unbind(1), -1),
    lambda x: x[:, ::2, 1:-1, None],
    lambda x: x[..., -1],
    lambda x: x[:, torch.tensor([0, 2, 4])],
    lambda x: x.flatten(1).unflatten(1, (6, -1)),
    lambda x: x.permute(0, 2, 3, 1).contiguous().mean((1, 2)),
    lambda x: x.mean(dim=[2, 3], keepdim=True).squeeze(-1),
    lambda x: x.amax(1),
    lambda x: x.max(dim=1)[0] + x.max(dim=1).values,
    lambda x: x.norm(2, dim=1) + x.norm(dim=1),
    lambda x: torch.linalg.vector_norm(x, dim=(2, 3)),
    lambda x: F.normalize(x, dim=1),
    lambda x: x.var(1, unbiased=False) + x.std(1, True, False),
    lambda x: torch.var_mean(x, dim=1)[0],
    lambda x: torch.roll(x, (1, -2), (2, 3)),
    lambda x: x.repeat(1, 2, 1, 3),
    lambda x: x.mean(0, keepdim=True).repeat(x.shape[0], 1, 1, 1),
    lambda x: x.movedim(1, -1).narrow(1, 0, 2),
    lambda x: F.pad(x, (1, 2, 3, 4), mode="replicate"),
    lambda x: F.pad(x, (0, -x.shape[-1] % 7)),
    lambda x: F.avg_pool2d(x, x.shape[2:]),
    lambda x: F.adaptive_max_pool2d(x, (None, 2)),
    lambda x: F.interpolate(x, scale_factor=2),
    lambda x: F.interpolate(x, size=x.shape[-1] * 2, mode="bilinear"),
    lambda x: F.interpolate(x, (5, 7), mode="bicubic", align_corners=True),
    lambda x: F.interpolate(x, scale_factor=(0.5, 1.5), mode="area"),
    lambda x: F.interpolate(x, (5, 7), mode="nearest-exact"),
    lambda x: F.interpolate(x.flatten(2), 9, mode="linear"),
    lambda x: F.interpolate(x[:, None], (3, 5, 7), mode="trilinear"),
    lambda x: F.pixel_shuffle(x.repeat(1, 2, 1, 1), 2),
    lambda x: F.pixel_unshuffle(x, 2),
    lambda x: F.unfold(x, 3, padding=1),
    lambda x: F.unfold(x, (3, 2), dilation=(1, 2), padding=(0, 1), stride=(2, 1)),
    lambda x: F.fold(F.unfold(x, 2, stride=2), x.shape[2:], 2, stride=2),
    lambda x: F.fold(F.unfold(x, 3, 1, 1, 2), x.shape[2:], 3, padding=1, stride=2),
    lambda x: x.T if x.dim() == 2 else x.mT,
    lambda x: x.expand(2, *x.shape),
    lambda x: x.reshape(x.size(0), -1, x.size(2) // 2).sum(1),
    lambda x: x + torch.linspace(0, 1, x.shape[-1]) + torch.arange(x.shape[2])[:, None],
    lambda x: x + torch.full((x.shape[-1],), 2.0),
    lambda x: x.relu_().add_(1).mul_(2),
    lambda x: x.add(x, alpha=2).clamp(min=0).pow(2).sum((1, 2, 3)),
    lambda x: x.new_zeros(x.shape[0], 3).index_select(1, torch.tensor([0, 2])),
    lambda x: torch.where(x > 0, x, 0.0).masked_fill(x < 1, 2.0),
    shuffled,
    windows,
    assigned,
    appended,
]


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_shapes_and_kinds(number: int) -> None:
    function = FUNCTIONS[number]
    graph = capture(Calls(function), (2, 6, 8, 8))
    made = propagate(graph)
    real = function(torch.ones(2, 6, 8, 8))
    (output,) = [node for _, node in graph.outputs]
    assert made.shapes[output] == tuple(real.shape)
    assert graph.nodes[output].dtype == str(real.dtype)[6:]
    assert made.macs == 0
    assert not graph.unknown
    other = (3, 6, 10, 12)
    assert propagate(graph, (other,)).shapes[output] == tuple(function(torch.ones(other)).shape)


TO_THIS_SIZE = [
    lambda x: x[:, :, : x.shape[-1] // 2].sum() * x.shape[-1] ** -0.5,
    lambda x: x.unfold(2, 3, 1),
    lambda x: x[:, [0, 1], [1, 2]],
    lambda x: x.gather(1, torch.zeros(2, 1, 8, 8, dtype=torch.long)),
    lambda x: x.flip(1),
    lambda x: torch.stack([x[:, :, row] for row in range(x.shape[2])], 2),
    lambda x: x[:, :, : int(x.shape[2] * 0.75)],
    lambda x: x.view(x.shape[0], round(x.shape[2] / 2), -1),
    lambda x: F.grid_sample(x, x.new_zeros(2, 4, 4, 2), align_corners=False)[:, :1],
]


@pytest.mark.parametrize("number", range(len(TO_THIS_SIZE)))
def test_what_holds_for_the_captured_size_refuses_others(number: int) -> None:
    function = TO_THIS_SIZE[number]
    graph = capture(Calls(function), (2, 6, 8, 8))
    (output,) = [node for _, node in graph.outputs]
    assert propagate(graph).shapes[output] == tuple(function(torch.ones(2, 6, 8, 8)).shape)
    with pytest.raises(ValueError, match=r"another way|cannot"):
        propagate(graph, ((2, 6, 12, 12),))


def test_what_is_put_into_a_view_is_in_the_tensor() -> None:
    def function(x: Tensor) -> Tensor:
        made = x * 2
        part = made[:, :2].flatten(1)
        part.relu_()
        made[:, 2] += 1
        return made + x

    graph = capture(Calls(function), (2, 3, 4))
    assert [type(node.operation).__name__ for node in graph.nodes] == [
        *("Input", "Arithmetic", "Slice", "Flatten", "Activation"),
        *("Replace", "Replace", "Select", "Arithmetic", "Replace", "Arithmetic"),
    ]
    assert [node.inputs for node in graph.nodes[5:]] == [
        *((2, 4), (1, 5), (6,), (7,), (6, 8), (9, 0)),
    ]


def test_in_place_goes_on_as_the_same_tensor() -> None:
    def function(x: Tensor) -> Tensor:
        made = x * 2
        nn.functional.relu(made, inplace=True)
        made += x
        return made

    graph = capture(Calls(function), (2, 3))
    assert [node.inputs for node in graph.nodes] == [(), (0,), (1,), (2, 0)]
    assert [node.alias for node in graph.nodes] == [False, False, True, True]
