"""Dense layers, products and attention: multiply-adds by hand and against torch's counter."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from independent import counted
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.product import Attention
from convatlas.graph.propagate import propagate


class Calls(nn.Module):
    """A function of any number of inputs as a module."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> object:
        return self.function(*inputs)


def test_dense_over_tokens() -> None:
    made = propagate(capture(nn.Linear(32, 10), (2, 16, 32)))
    assert made.macs == 2 * 16 * 32 * 10
    assert made.shapes[-1] == (2, 16, 10)


@pytest.mark.parametrize(
    ("function", "shapes", "macs"),
    [
        (lambda a, b: a @ b, ((4, 5), (5, 6)), 120),
        (torch.matmul, ((2, 3, 4, 5), (5, 6)), 720),
        (lambda a, b: a.matmul(b), ((2, 1, 4, 5), (3, 5, 6)), 720),
        (torch.bmm, ((3, 4, 5), (3, 5, 6)), 360),
        (torch.mv, ((4, 5), (5,)), 20),
        (torch.dot, ((5,), (5,)), 5),
        (lambda a, b: torch.addmm(b, a, b), ((5, 5), (5, 5)), 125),
        (lambda a, b: torch.einsum("bij,bjk->bik", a, b), ((2, 3, 4), (2, 4, 5)), 120),
        (
            lambda a, b: torch.einsum("...ij, ...jk -> ...ik", a, b),
            ((7, 2, 3, 4), (7, 2, 4, 5)),
            840,
        ),
        (lambda a, b: torch.einsum("...ij,jk", a, b), ((2, 3, 4), (4, 5)), 120),
        (lambda a, b: torch.einsum("ij,jk", a, b), ((3, 4), (4, 5)), 60),
        (lambda a: torch.einsum("bchw->bc", a), ((2, 3, 4, 5),), 0),
        (lambda a: torch.einsum("ii->i", a), ((4, 4),), 0),
        (lambda a, b: torch.einsum("i,j->ij", a, b), ((4,), (5,)), 20),
    ],
)
def test_products(
    function: Callable[..., Tensor], shapes: tuple[tuple[int, ...], ...], macs: int
) -> None:
    net = Calls(function)
    graph = capture(net, list(shapes))
    made = propagate(graph)
    assert made.macs == macs
    assert not graph.unknown
    assert made.shapes[-1] == tuple(function(*map(torch.zeros, shapes)).shape)


def test_three_operands_go_pair_by_pair() -> None:
    net = Calls(lambda a, b, c: torch.einsum("ij,jk,kl->il", a, b, c))
    graph = capture(net, [(3, 4), (4, 5), (5, 6)])
    assert propagate(graph).macs == 3 * 4 * 5 + 3 * 5 * 6
    assert not graph.unknown


def by_hand(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1) @ v


@pytest.mark.parametrize(
    "function",
    [
        by_hand,
        F.scaled_dot_product_attention,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=torch.ones(5, 7) > 0),
        lambda q, k, v: torch.einsum(
            "bhls,bhsf->bhlf", torch.einsum("bhle,bhse->bhls", q, k).softmax(-1), v
        ),
    ],
)
def test_attention(function: Callable[..., Tensor]) -> None:
    # both products: 2 · 3 heads, 5 queries, 7 keys, 8 values compared, 4 values mixed
    shapes = [(2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 4)]
    made = propagate(capture(Calls(function), shapes))
    assert made.macs == 2 * 3 * 5 * 7 * (8 + 4)
    assert made.shapes[-1] == (2, 3, 5, 4)


WIDTH, TOKENS = 8, 5


@pytest.mark.parametrize("needs", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("same", [True, False])
def test_multi_head_attention(*, needs: bool, batch_first: bool, same: bool) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=batch_first)

        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> object:
            given = (q, q, q) if same else (q, k, v)
            return self.attention(*given, need_weights=needs)

    net = Net().eval()
    shape = (3, TOKENS, WIDTH) if batch_first else (TOKENS, 3, WIDTH)
    graph = capture(net, [shape, shape, shape])
    # four projections of 15 tokens, and both products of 5 × 5 tokens of 3 pictures
    assert propagate(graph).macs == 4 * 15 * WIDTH * WIDTH + 2 * 3 * 25 * WIDTH
    assert not graph.unused
    assert not graph.unknown
    made = propagate(graph).shapes
    real = [r for r in net(*[torch.zeros(shape)] * 3) if r is not None]
    assert [made[node] for _, node in graph.outputs] == [tuple(r.shape) for r in real]


class Rare(nn.Module):
    """Other widths of keys and values, learned extra keys, masks."""

    def __init__(self, *, extra: bool, masked: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            WIDTH, 2, kdim=6, vdim=4, batch_first=True, add_bias_kv=extra, add_zero_attn=extra
        )
        self.masked = masked

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> object:
        hidden = torch.zeros(q.shape[0], k.shape[1], dtype=torch.bool) if self.masked else None
        return self.attention(q, k, v, key_padding_mask=hidden, need_weights=False)[0]


@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_rare_forms_of_attention(*, extra: bool, masked: bool) -> None:
    net = Rare(extra=extra, masked=masked).eval()
    graph = capture(net, [(3, TOKENS, WIDTH), (3, 7, 6), (3, 7, 4)])
    keys = 7 + 2 * extra
    tokens = 15 * 2 * WIDTH * WIDTH + 21 * (6 + 4) * WIDTH
    assert propagate(graph).macs == tokens + 2 * 3 * TOKENS * keys * WIDTH
    assert not graph.unused
    assert not graph.unknown
    assert propagate(graph).shapes[-1][-1] == WIDTH


@pytest.mark.parametrize("training", [True, False])
def test_the_encoder_layers_fast_path_hides_nothing(*, training: bool) -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True).train(training)
    net = nn.Sequential(layer, nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))
    net.train(training)
    graph = capture(net, (2, 6, 16))
    one = 4 * 12 * 256 + 2 * 2 * 36 * 16 + 2 * 12 * 16 * 32
    assert propagate(graph).macs == 3 * one
    assert sum(isinstance(node.operation, Attention) for node in graph.nodes) == 3
    assert not graph.unknown
    assert not graph.unused


def test_a_whole_transformer_is_counted_as_torch_counts_it() -> None:
    net = nn.Transformer(16, 4, 2, 2, 32, batch_first=True).train()
    given = [torch.zeros(2, 6, 16), torch.zeros(2, 4, 16)]
    graph = capture(net, given)
    assert propagate(graph).macs == counted(net, *given)[""]
    assert not graph.unknown


def test_bilinear() -> None:
    # 5·6 weights for each of 4 outputs, then 6 products for each
    graph = capture(nn.Bilinear(5, 6, 4), [(3, 5), (3, 6)])
    assert propagate(graph).macs == 3 * 4 * 5 * 6 + 3 * 4 * 6
    assert propagate(graph).shapes[-1] == (3, 4)
    assert not graph.unused
