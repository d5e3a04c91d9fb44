"""The kernel against the same in double precision."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.runtime.engines.kernel.library import AVX512, SPLIT, lacking, load

POINT = [1, 1, 1, 0, 0, 1]
# Halves keep 16 of 24 bits and one of four products is left out: 2^-16 of each product at most,
# and errors of many products partly cancel. In float32 Winograd's transforms cost some four bits.
TOLERANCE = 2**-16
WINDOWS = [
    # channels, side, filters, rows, columns, stride, top, left, dilation
    (64, 14, 64, 3, 3, 1, 1, 1, 1),
    (32, 7, 48, 1, 1, 1, 0, 0, 1),
    (40, 9, 33, 1, 1, 2, 0, 0, 1),
    (20, 13, 37, 3, 3, 2, 1, 1, 1),
    (16, 17, 16, 1, 7, 1, 0, 3, 1),
    (16, 17, 16, 7, 1, 1, 3, 0, 1),
    (24, 15, 50, 3, 3, 2, 2, 2, 2),
    (17, 12, 9, 3, 3, 3, 0, 2, 1),
    (3, 32, 24, 7, 7, 2, 3, 3, 1),
    (1, 28, 6, 5, 5, 1, 2, 0, 1),
    (3, 40, 96, 11, 11, 4, 2, 2, 1),
    (5, 19, 20, 3, 3, 1, 2, 2, 2),
    (3, 8, 5, 1, 1, 1, 0, 0, 1),
    (15, 6, 64, 6, 6, 1, 0, 0, 1),
    # Winograd's tiles: of 4 x 4 outputs if there are many, of 2 x 2 if few, none for so few
    (128, 23, 70, 3, 3, 1, 1, 1, 1),
    (33, 19, 16, 3, 3, 1, 2, 0, 1),
    (80, 6, 40, 3, 3, 1, 1, 1, 1),
    (16, 3, 33, 3, 3, 1, 1, 1, 1),
    (48, 2, 20, 3, 3, 1, 1, 1, 1),
    # more weights than each thread should read, and more tiles than are transformed at a time
    (1024, 30, 96, 3, 3, 1, 1, 1, 1),
]


@pytest.fixture(params=(SPLIT, AVX512), ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest) -> Any:
    """The operations of each kernel."""
    if reason := lacking(request.param):
        pytest.skip(f"the kernel cannot run here: {reason}")
    load(request.param)
    return request.param.operations


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def off(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("batch", [1, 3])
def test_every_window(kernel: Any, case: tuple[int, ...], batch: int) -> None:
    channels, side, filters, *window = case
    rows, columns, stride, top, left, dilation = window
    x = drawn(batch, channels, side, side + 2, seed=1)
    weight, bias = drawn(filters, channels, rows, columns, seed=2), drawn(filters, seed=3)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), stride, (top, left), dilation)
    other = drawn(*expected.shape, seed=4)
    packed = kernel.pack_maps([x], window, None, None, False, None)
    tiles = kernel.pack_weights(weight, list(x.shape), window)
    plain = kernel.conv(
        packed, list(x.shape), tiles, filters, window, bias, None, "none", False, None
    )
    assert off(plain, expected) < TOLERANCE
    more = kernel.conv(
        packed, list(x.shape), tiles, filters, window, None, other, "relu", False, None
    )
    assert off(more, (expected - bias.double()[:, None, None] + other).relu()) < TOLERANCE


@pytest.mark.parametrize("parts", [(16, 32, 5), (3, 4), (12, 24), (64, 16)])
@pytest.mark.parametrize("window", [(3, 3, 1, 1, 1, 1), (1, 1, 1, 0, 0, 1)])
def test_maps_are_joined_and_normed_while_they_are_read(
    kernel: Any, parts: tuple[int, ...], window: tuple[int, ...]
) -> None:
    maps = [drawn(2, part, 9, 8, seed=part) for part in parts]
    scale, shift = drawn(sum(parts), seed=1), drawn(sum(parts), seed=2)
    weight = drawn(21, sum(parts), *window[:2], seed=3)
    shape = [2, sum(parts), 9, 8]
    packed = kernel.pack_maps(maps, list(window), scale, shift, True, None)
    tiles = kernel.pack_weights(weight, shape, list(window))
    found = kernel.conv(packed, shape, tiles, 21, list(window), None, None, "none", False, None)
    joined = torch.cat(maps, 1).double()
    normed = (joined * scale[:, None, None] + shift[:, None, None]).relu()
    assert off(found, F.conv2d(normed, weight.double(), padding=window[3])) < TOLERANCE


def through(kernel: Any, packed: Tensor, weight: Tensor, rows: int) -> Tensor:
    """Packed rows multiplied, which is the only way to read them."""
    filters, width = weight.shape
    tiles = kernel.pack_weights(weight[:, :, None, None], [1, width, rows, 1], POINT)
    size, rest = [rows, filters], (None, None, None, "none", False, None)
    made: Tensor = kernel.linear(packed, rows, width, tiles, size, *rest)
    return made


@pytest.mark.parametrize("side", [14, 4, 1])
@pytest.mark.parametrize("curve", ["none", "relu", "gelu", "sigmoid"])
@pytest.mark.parametrize("filters", [32, 70])
def test_a_convolution_packs_its_result(kernel: Any, side: int, curve: str, filters: int) -> None:
    x, weight = drawn(2, 48, side, side, seed=1), drawn(filters, 48, 3, 3, seed=2) / 20
    then, window = drawn(9, filters, seed=3), [3, 3, 1, 1, 1, 1]
    sums = F.conv2d(x.double(), weight.double(), padding=1)
    other = drawn(*sums.shape, seed=4)
    packed = kernel.pack_maps([x], window, None, None, False, None)
    tiles = kernel.pack_weights(weight, list(x.shape), window)
    given = (packed, list(x.shape), tiles, filters, window, None, other, curve)
    expected = CURVES[curve](sums + other).permute(0, 2, 3, 1).flatten(0, 2) @ then.double().T
    found = through(kernel, kernel.conv(*given, True, None), then, 2 * side * side)
    assert off(found, expected) < 3 * TOLERANCE  # of two layers, and the curve between


def test_weights_for_other_maps_are_refused(kernel: Any) -> None:
    x, window = drawn(1, 32, 28, 28, seed=1), [3, 3, 1, 1, 1, 1]
    tiles = kernel.pack_weights(drawn(16, 64, 3, 3, seed=2), [1, 64, 28, 28], window)
    packed = kernel.pack_maps([x], window, None, None, False, None)
    with pytest.raises(RuntimeError, match="weights were packed for other maps"):
        kernel.conv(packed, [1, 32, 28, 28], tiles, 16, window, None, None, "none", False, None)


CURVES = {"none": torch.clone, "relu": torch.relu, "gelu": F.gelu, "sigmoid": torch.sigmoid}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("rows", "width", "filters"), [(53, 100, 70), (9, 32, 16), (33, 7, 200)])
def test_a_linear_layer_and_the_one_after_it(
    kernel: Any, curve: str, rows: int, width: int, filters: int
) -> None:
    x, weight = 3 * drawn(rows, width, seed=1), drawn(filters, width, seed=2) / width**0.5
    bias, then = drawn(filters, seed=3), drawn(21, filters, seed=4)
    linear = F.linear(x.double(), weight.double(), bias.double())
    expected = CURVES[curve](linear)
    packed = kernel.rows(x, None, None, None, 0.0, None)
    tiles = kernel.pack_weights(weight[:, :, None, None], [1, *reversed(x.shape), 1], POINT)
    given = (packed, rows, width, tiles, [rows, filters], bias, None, None, curve)
    # of the numbers that go into the curve, none of which is steeper than 1.13
    bound = 1.13 * TOLERANCE * float(linear.abs().max())
    assert float((kernel.linear(*given, False, None) - expected).abs().max()) < bound
    found = through(kernel, kernel.linear(*given, True, None), then, rows)
    assert off(found, expected @ then.double().T) < 2 * TOLERANCE * max(1, bound / TOLERANCE)


def test_curves_are_those_of_torch_to_a_millionth(kernel: Any) -> None:
    x = torch.cat((torch.linspace(-12, 12, 30000), torch.tensor([0.0, -90, 90, -1e30, 1e30])))
    maps, ones = x[None, None, None], torch.ones(1, 1, 1, 1)
    for name, curve in CURVES.items():
        expected, found = curve(x.double()), kernel.scaled(maps, ones, None, name, None).flatten()
        assert ((found - expected).abs() <= 1e-6 * expected.abs().clamp(min=1)).all(), name
    odd = torch.tensor([float("nan")])[None, None, None]
    assert all(kernel.scaled(odd, ones, None, name, None).isnan() for name in CURVES)


@pytest.mark.parametrize(("width", "pieces"), [(36, 2), (96, 1), (32, 4), (17, 3)])
def test_rows_are_gathered_and_normed_while_they_are_read(
    kernel: Any, width: int, pieces: int
) -> None:
    depth = width * pieces
    x = 2 * drawn(40, width, seed=1) + 5
    gain, shift, weight = drawn(depth, seed=2), drawn(depth, seed=3), drawn(16, depth, seed=4)
    table = torch.randint(0, 40, (23, pieces), generator=torch.Generator().manual_seed(5)).int()
    table[3], table[5], table[7, -1] = -2, -1, -1  # no row; zeros; a piece of zeros
    padded = torch.cat((x, torch.zeros(1, width))).double()
    joined = padded[table.clamp(min=-1).long()].flatten(1)
    normed = F.layer_norm(joined, (depth,), gain.double(), shift.double(), 1e-5)
    for figures, expected in (((gain, shift, 1e-5), normed), ((None, None, 0.0), joined)):
        expected[3] = 0
        found = through(kernel, kernel.rows(x, table, *figures, None), weight, 23)
        assert off(found, expected @ weight.double().T) < TOLERANCE


def test_rows_are_put_where_they_belong(kernel: Any) -> None:
    x, weight, other = drawn(41, 64, seed=1), drawn(33, 64, seed=2), drawn(38, 33, seed=3)
    place = torch.randperm(41, generator=torch.Generator().manual_seed(4)).int()
    place[place >= 38] = -1  # cut off
    tiles = kernel.pack_weights(weight[:, :, None, None], [1, *reversed(x.shape), 1], POINT)
    packed = kernel.rows(x, None, None, None, 0.0, None)
    found = kernel.linear(packed, 41, 64, tiles, [38, 33], None, other, place, "none", False, None)
    expected = other.double()
    expected[place[place >= 0].long()] += (x.double() @ weight.double().T)[place >= 0]
    assert off(found, expected) < TOLERANCE


@pytest.mark.parametrize(
    ("queries", "keys", "depth", "values"), [(49, 49, 32, 32), (5, 37, 20, 64), (33, 70, 64, 32)]
)
@pytest.mark.parametrize("masked", [True, False])
def test_attention(
    kernel: Any, queries: int, keys: int, depth: int, values: int, masked: bool
) -> None:
    batch, heads, step = 2, 3, 64
    one = (queries + 2 * keys) * step
    x = drawn(batch * heads, queries + 2 * keys, step, seed=1)
    q, k, v = x.double().split((queries, keys, keys), 1)
    added = drawn(heads, queries, keys, seed=2)
    added[:, 1, keys // 2 :] -= 100  # as Swin keeps apart what is not in one region
    added[0, 2, :3] = -float("inf")
    scores = 0.3 * q[..., :depth] @ k[..., :depth].mT
    weights = scores + added.repeat(batch, 1, 1) if masked else scores
    made = (weights.softmax(-1) @ v[..., :values]).unflatten(0, (batch, heads))
    expected = made.transpose(1, 2).flatten(2)
    units, width = torch.arange(batch * heads), heads * values
    begin = units * one
    goes = units // heads * queries * width + units % heads * values
    starts = (begin, begin + queries * step, begin + (queries + keys) * step, goes, units % heads)
    sizes, size = [queries, keys, depth, values, step, step, step, width], [batch, queries, width]
    given = (x, torch.stack(starts, 1), sizes, 0.3, added if masked else None, size)
    # in float32 throughout; sums of up to 70 products
    assert off(kernel.attention(*given, False, None), expected) < 2e-6
    weight = drawn(16, width, seed=3)
    found = through(kernel, kernel.attention(*given, True, None), weight, batch * queries)
    assert off(found, (expected @ weight.double().T).flatten(0, 1)) < TOLERANCE


@pytest.mark.parametrize("channels", [70, 16, 3, 128])
def test_means_and_gates(kernel: Any, channels: int) -> None:
    x = drawn(3, channels, 9, 7, seed=1)
    mean = x.double().mean((2, 3), keepdim=True)
    assert off(kernel.pooled(x, False, None), mean) < 1e-6
    weight = drawn(5, channels, seed=2)
    found = through(kernel, kernel.pooled(x, True, None), weight, 3)
    assert off(found, mean.flatten(1) @ weight.double().T) < TOLERANCE
    gate, other = drawn(3, channels, 1, 1, seed=3), drawn(3, channels, 9, 7, seed=4)
    scaled = x.double() * gate
    assert off(kernel.scaled(x, gate, None, "none", None), scaled) < 1e-6
    assert off(kernel.scaled(x, gate, other, "relu", None), (scaled + other).relu()) < 1e-6
