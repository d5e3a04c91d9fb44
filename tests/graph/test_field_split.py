"""Fields through axes that are cut into digits and joined again, against gradients of torch."""

import random
from collections.abc import Callable
from math import prod

import pytest
import torch
import torch.nn.functional as F
from linearised import mask
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import Propagation, propagate
from convatlas.graph.reads import reads
from convatlas.models.swin import Swin, SwinSpec

Box = tuple[tuple[int, int], tuple[int, int]]  # first and last row, first and last column


def followed(module: nn.Module, shape: Shape) -> tuple[Graph, Propagation, Field]:
    graph = capture(module, shape)
    made = propagate(graph)
    field = fields(graph, made)[graph.outputs[0][1]]
    assert field is not None
    return graph, made, field


def pixels(module: nn.Module, shape: Shape, at: dict[int, int]) -> Tensor:
    """Where a position (axis of the result: index) has a gradient, over all channels."""
    generator = torch.Generator().manual_seed(0)
    picture = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    made = module(picture)
    for dim in sorted(at, reverse=True):
        made = made.select(dim, at[dim])
    weights = torch.rand(made.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((made * weights).sum(), picture)
    return gradient.abs().sum((0, 1)) > 0


def box(found: Tensor) -> Box:
    rows, columns = (found.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    return (rows[0], rows[-1]), (columns[0], columns[-1])


def stated(field: Field, row: int, column: int) -> Box:
    reaches = [axis.at(o) for axis, o in zip(field.axes, (row, column), strict=True)]
    assert all(reach is not None for reach in reaches)
    (a, b), (c, d) = (r for r in reaches if r is not None)
    return (int(a), int(b)), (int(c), int(d))


def within(found: Box, said: Box) -> bool:
    return all(s[0] <= f[0] and f[1] <= s[1] for f, s in zip(found, said, strict=True))


def positions(field: Field, at: dict[int, int]) -> list[int]:
    """Where an index of the tensor is along each axis of the picture, by its digits."""
    if field.split is None:
        return [at.get(dim, 0) for dim in field.dims]
    found = [0] * len(field.axes)
    for dim, atoms in field.split.grid:
        rest = at[dim]
        for atom in atoms[::-1]:
            rest, digit = divmod(rest, atom.size)
            if atom.axis >= 0:
                found[atom.axis] += digit * atom.weight
    return found


class Made(nn.Module):
    """A 3×3 convolution with a border, then a function of its maps."""

    def __init__(self, function: Callable[[Tensor], Tensor], c_out: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, c_out, 3, padding=1)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.conv(x))


def cut(x: Tensor, k: int = 3) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, c, h // k, k, w // k, k).permute(0, 2, 4, 3, 5, 1)


def glued(x: Tensor) -> Tensor:
    n, down, right, k, _, c = x.shape
    return x.permute(0, 5, 1, 3, 2, 4).reshape(n, c, down * k, right * k)


def in_windows(x: Tensor, k: int = 3) -> Tensor:
    """Attention within windows, the batch and the windows as one axis, as the authors' code."""
    parts = cut(x, k)
    n, down, right, *_, c = parts.shape
    tokens = parts.contiguous().view(-1, k * k, c)
    scores = (tokens @ tokens.transpose(1, 2)).softmax(-1)
    return glued((scores @ tokens).view(n, down, right, k, k, c))


def kept_apart(x: Tensor) -> Tensor:
    """The same with every digit in an axis of its own, and by torch's own attention."""
    tokens = cut(x).flatten(3, 4)
    made = F.scaled_dot_product_attention(tokens, tokens, tokens)
    return glued(made.unflatten(3, (3, 3)))


def by_einsum(x: Tensor) -> Tensor:
    tokens = cut(x).flatten(3, 4)
    scores = torch.einsum("nabic,nabjc->nabij", tokens, tokens).softmax(4)
    return glued(torch.einsum("nabij,nabjc->nabic", scores, tokens).unflatten(3, (3, 3)))


def on_a_grid(x: Tensor) -> Tensor:
    """Every third position with every third, as MaxViT's grid attention."""
    n, c, h, w = x.shape
    parts = x.view(n, c, 3, h // 3, 3, w // 3).permute(0, 3, 5, 2, 4, 1).flatten(3, 4)
    made = F.scaled_dot_product_attention(parts, parts, parts).unflatten(3, (3, 3))
    return made.permute(0, 5, 3, 1, 4, 2).reshape(n, c, h, w)


def shifted(x: Tensor) -> Tensor:
    return in_windows(x.roll((-1, -1), (2, 3))).roll((1, 1), (2, 3))


def merging(x: Tensor) -> Tensor:
    """2×2 positions as one, mixed by a matrix."""
    parts = cut(x, 2).flatten(3)
    return (parts @ torch.ones(parts.shape[-1], 5, dtype=x.dtype)).permute(0, 3, 1, 2)


def patches(x: Tensor) -> Tensor:
    """Tokens, mixed one by one, and maps again."""
    n, c, h, w = x.shape
    return F.layer_norm(x.flatten(2).transpose(1, 2), (c,)).transpose(1, 2).reshape(n, c, h, w)


def unfolded(x: Tensor) -> Tensor:
    """A convolution as a matrix product."""
    columns = F.unfold(x, 3, padding=1, stride=2)
    weight = torch.ones(5, columns.shape[1], dtype=x.dtype)
    return (weight @ columns).view(len(x), 5, (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2)


def folded(x: Tensor) -> Tensor:
    columns = F.unfold(x, (3, 2), dilation=2, padding=2)
    mixed = columns + columns.mean(1, keepdim=True)  # else each tap comes back to its own pixel
    return F.fold(mixed, x.shape[2:], (3, 2), dilation=2, padding=2)


def stretched(x: Tensor) -> Tensor:
    """Every position three times in each direction, by hand."""
    n, c, h, w = x.shape
    made = x[:, :, :, None, :, None].expand(n, c, h, 3, w, 3)
    return made.reshape(n, c, h * 3, w * 3)


# What a position sees, and how far its neighbour lies: 3 positions of 3 pixels overlap to 5.
LOCAL: dict[Callable[[Tensor], Tensor], tuple[int, float]] = {
    in_windows: (5, 1),
    kept_apart: (5, 1),
    by_einsum: (5, 1),
    shifted: (5, 1),
    lambda x: shifted(in_windows(x)): (8, 1),
    merging: (4, 2),
    lambda x: merging(in_windows(x)): (8, 2),
    patches: (3, 1),
    unfolded: (5, 2),
    folded: (11, 1),
    stretched: (3, 1 / 3),
}


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("number", range(len(LOCAL)))
def test_no_gradient_lies_outside_and_none_is_missing_in_the_middle(
    number: int, batch: int
) -> None:
    function, (size, jump) = list(LOCAL.items())[number]
    module, shape = Made(function).double(), (batch, 2, 12, 12)
    graph, made, field = followed(module, shape)
    node = graph.outputs[0][1]
    assert field.local
    assert field.dims == (2, 3)
    assert max(field.size) == size
    assert field.axes[0].jump == pytest.approx(jump)
    height, width = made.shapes[node][2:]
    exact = 0
    for o in range(max(height, width)):
        row, column = min(o, height - 1), min(o, width - 1)
        found = pixels(module, shape, {2: row, 3: column})
        read = mask(reads(graph, made, node, (row, column)).rows, 12, 12)
        assert bool((read | ~found).all())
        said = stated(field, row, column)
        if all(low >= 0 and high < 12 for low, high in said):
            assert within(box(found), said)
            exact += box(found) == said
    assert exact


def test_digits_that_are_gone_make_positions_farther_apart() -> None:
    """Without the windows' inside 12 positions are 4."""
    _, _, field = followed(Made(lambda x: cut(x).mean((3, 4))).double(), (1, 2, 12, 12))
    assert (field.dims, field.size) == ((1, 2), (5, 5))
    assert [axis.jump for axis in field.axes] == [3, 3]
    assert field.axes[0].at(1) == (2, 6)


def test_a_grid_reaches_over_the_whole_picture() -> None:
    _, _, field = followed(Made(on_a_grid), (1, 2, 12, 12))
    assert (field.dims, [axis.whole for axis in field.axes]) == ((2, 3), [True, True])


def test_a_vector_has_no_positions() -> None:
    _, _, field = followed(Made(lambda x: x.flatten(1)), (2, 2, 12, 12))
    assert not field.local


def test_what_cannot_be_cut_is_read_as_a_whole() -> None:
    for function in (
        lambda x: x.reshape(1, 9, 8, 8),  # 4·12·12 as 9·8·8: rows end within rows
        lambda x: x.flatten(2)[:, :, 5:],
        lambda x: torch.cat([x.flatten(2), x.flatten(2)], 2),
        lambda x: F.conv1d(x.flatten(2), torch.ones(1, 4, 3)),
    ):
        _, _, field = followed(Made(function), (1, 2, 12, 12))
        assert not field.local


@pytest.mark.parametrize("seed", range(60))
def test_random_cuts(seed: int) -> None:
    """Cut, turned, joined by chance, mixed along one axis, and all the way back."""
    draw = random.Random(seed)
    height, width = (draw.choice((6, 8, 12)) for _ in range(2))
    rows, columns = (draw.choice([k for k in range(2, n) if n % k == 0]) for n in (height, width))
    sizes = (draw.choice((1, 2)), 4, height // rows, rows, width // columns, columns)
    order = [0, *draw.sample(range(1, 6), 5)]
    back = sorted(range(6), key=order.__getitem__)
    turned = [sizes[axis] for axis in order]
    start = draw.randrange(5)
    end = draw.randrange(start, min(start + 3, 6))
    joined = [*turned[:start], prod(turned[start : end + 1]), *turned[end + 1 :]]
    mixed = draw.randrange(1, len(joined)) if len(joined) > 1 else 0

    def function(x: Tensor) -> Tensor:
        parts = x.view(sizes).permute(order).reshape(joined)
        parts = parts + parts.softmax(mixed) if draw_sum else parts.softmax(mixed)
        return parts.reshape(turned).permute(back).reshape(sizes[0], 4, height, width)

    draw_sum = draw.random() < 0.3
    module, shape = Made(function).double(), (sizes[0], 2, height, width)
    _, _, field = followed(module, shape)
    for _ in range(4):
        at = {2: draw.randrange(height), 3: draw.randrange(width)}
        found = box(pixels(module, shape, at))
        for axis, o, reach in zip(field.axes, positions(field, at), found, strict=True):
            said = axis.at(o)
            assert axis.whole or (said and said[0] <= reach[0] and reach[1] <= said[1])


SPEC = SwinSpec(width=32, depths=(2, 2), stochastic_depth=0.0, num_classes=3, image_size=84)


@pytest.mark.parametrize(
    ("parts", "size", "jump"),
    [
        (1, 28, 4),  # 7 tokens of 4 pixels
        (2, 56, 4),  # shifted windows lie over two
    ],
)
def test_windows_of_swin(parts: int, size: int, jump: int) -> None:
    """The first stage's blocks at 21×21 tokens; far from the edge nothing comes around it."""
    torch.manual_seed(0)
    net = Swin(SPEC).double().eval()
    stage = net.stages[0]
    module, shape = nn.Sequential(net.embedding, *list(stage)[:parts]), (1, 3, 84, 84)
    graph, made, field = followed(module, shape)
    assert (field.dims, field.size) == ((1, 2), (size, size))
    assert [axis.jump for axis in field.axes] == [jump, jump]
    exact = 0
    for row, column in ((0, 0), (3, 8), (4, 10), (7, 7), (10, 10), (13, 4), (17, 17), (20, 20)):
        found = pixels(module, shape, {1: row, 2: column})
        read = mask(reads(graph, made, graph.outputs[0][1], (row, column)).rows, 84, 84)
        assert bool((read | ~found).all())
        said = stated(field, row, column)
        if all(low >= 0 and high < 84 for low, high in said):
            assert within(box(found), said)
            exact += box(found) == said
    assert exact >= 3


def test_swin_to_the_end() -> None:
    """Merging doubles the jump; where one window covers the map it is read as a whole."""
    graph = capture(Swin(SPEC).eval(), (1, 3, 84, 84))
    found = fields(graph, propagate(graph))
    last = {node.path: field for node, field in zip(graph.nodes, found, strict=True) if field}
    merged = last["stages.stage2.merging.reduce"]
    assert (merged.size, [axis.jump for axis in merged.axes]) == ((84, 84), [8, 8])
    assert all(axis.whole for axis in last["classifier"].axes)
