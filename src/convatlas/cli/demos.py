"""The worked examples of ``convatlas conv --demo``, by name."""

from collections.abc import Callable
from typing import Literal

from convatlas.arithmetic.alternatives import Block, side_by_side
from convatlas.arithmetic.coverage import coverage
from convatlas.arithmetic.drawing import beside, of_coverage, of_grid
from convatlas.arithmetic.examples import (
    INCEPTION_INPUT,
    depth_changes,
    factorisations,
    inception,
    inception_branches,
    reduction,
)
from convatlas.arithmetic.field import field
from convatlas.arithmetic.geometry import Geometry, Shape
from convatlas.arithmetic.pooling import Grid, Pool
from convatlas.arithmetic.stack import parse_stack
from convatlas.cli.conv_layer import shape_text
from convatlas.cli.demo import Demo
from convatlas.cli.demo_transposed import transposed
from convatlas.tables import Table

POOLED: Grid = (
    (2, -2, 3, 0, 2),
    (-4, 5, 1, -1, 3),
    (2, 0, -3, 6, 1),
    (7, -1, 2, 4, -5),
    (0, 3, 1, -2, 8),
)


def gridding() -> Demo:
    """Dilations 2, 2, 2 leave holes, 1, 2, 3 do not; plain and doubling stacks beside them."""
    stacks = ("3 3 3", "3d2 3d2 3d2", "3d1 3d2 3d3", "3d1 3d2 3d4")
    rows = []
    for stack in stacks:
        layers = parse_stack(stack)
        seen, sizes = coverage(layers), []
        for number in range(1, len(layers) + 1):
            sizes.append(str(field(rows_of for rows_of, _ in layers[:number]).size))
        share = "gridding" if seen.gridding else "no holes"
        rows.append((stack, " → ".join(sizes), seen.read, seen.area, share))
    maps = [of_coverage(coverage(parse_stack(stack))) for stack in stacks[1:3]]
    return Demo(
        before="Three 3x3 layers have the same weights whatever their dilations. What one output\n"
        "reads with dilations 2, 2, 2 and with 1, 2, 3 (■ read, · never read):\n\n"
        + beside(*maps, gap="      "),
        table=Table(("stack", "field", "pixels read", "of", "coverage"), tuple(rows)),
        after="Plain layers add 2 pixels each; dilations 1, 2, 4, … about double the field, while\n"
        "equal dilations let it grow by as much each time and put all taps on one lattice.\n"
        '`convatlas field "3d2 3d2 3d2"` says more.',
    )


def inception_demo() -> Demo:
    """GoogLeNet's first inception block against single kernels with as many outputs."""
    blocks = inception()
    reference = blocks[0].cost(INCEPTION_INPUT)
    rows = tuple(
        (
            block.name,
            cost.weights,
            cost.macs,
            f"{cost.weights / reference.weights:.2f}",
        )
        for block in blocks
        for cost in [block.cost(INCEPTION_INPUT)]
    )
    branches = [
        f"  {name.ljust(24)}"
        + " + ".join(f"{layer.geometry.kernel[0]}²·{layer.c_in}·{layer.c_out}" for layer in branch)
        + f" = {sum(layer.weights for layer in branch):,}"
        for name, branch in inception_branches().items()
    ]
    kernels = ((1, 64), (3, 128), (5, 32), (1, 32))
    macs = side_by_side(INCEPTION_INPUT, kernels)
    return Demo(
        before="GoogLeNet's inception 3a: 192x28x28 → 256x28x28, weights of its branches\n\n"
        + "\n".join(branches),
        table=Table(("256 outputs by", "weights", "MACs", "times the block"), rows),
        after="Side by side, without reductions, kernels cost c_in·H·W·Σ k²·c_out MACs:\n"
        f"192·28·28·(1²·64 + 3²·128 + 5²·32 + 1²·32) = {macs:,}.\n"
        f"The 1x1 layers in front of 3x3 and 5x5 bring that down to {reference.macs:,}.",
    )


def reduction_demo() -> Demo:
    """A 1x1 in front of a 3x3."""
    direct, reduced = reduction()
    shape = (256, 28, 28)
    ratio = direct.cost(shape).weights / reduced.cost(shape).weights
    return Demo(
        before="A 1x1 that leaves 64 of 256 channels for a 3x3 to read, on 256x28x28",
        table=_weighed((direct, reduced), shape),
        after="3·3·256·192 = 442,368 against 1·1·256·64 + 3·3·64·192 = 16,384 + 110,592 = 126,976\n"
        f"weights: {ratio:.1f} times fewer, with one more non-linearity, and everything squeezed\n"
        "through 64 channels.",
    )


def factorise() -> Demo:
    """Large kernels and the small ones that see as much."""
    shape: Shape = (64, 28, 28)
    pairs = factorisations(64)
    return Demo(
        before="A kernel and its factors, for 64 → 64 channels on 28x28; taps are the weights for\n"
        "one input and one output channel",
        table=_weighed(tuple(block for pair in pairs for block in pair), shape),
        after="The factors see the same field with fewer weights (25 → 9 + 9, n·n → n + n) and\n"
        "one more non-linearity for each additional layer.",
    )


def pooling() -> Demo:
    """Odd sizes, overlap, and where the ReLU stands."""
    rows: list[tuple[str | int, ...]] = []
    for size in (5, 6, 7, 55, 112):
        for kernel in (2, 3):
            sizes = [
                _pool("max", kernel, ceil=ceil).cost((1, size, size)).output[1]
                for ceil in (False, True)
            ]
            overlap = "overlapping" if kernel == 3 else "not overlapping"
            rows.append((f"{size}x{size}", f"{kernel}x{kernel}, stride 2", overlap, *sizes))
    small = [_pool(kind, 2).values(POOLED) for kind in ("max", "avg")]
    ceil = _pool("max", 2, ceil=True).values(POOLED)
    return Demo(
        before="Pooling: largest or mean of each window, channel by channel, no parameters.\n"
        "2x2 with stride 2 on 5x5: the max, the mean, and the max rounding up\n\n"
        + beside(of_grid(POOLED), "→", *map(of_grid, small), of_grid(ceil))
        + "\n\nRounding down loses the last row and column of an odd size here; rounding up\n"
        "(--ceil) takes what is left of a window, as long as it begins inside the input.",
        table=Table(("input", "pool", "windows", "rounding down", "rounding up"), tuple(rows)),
        after=_relu_order(),
    )


def pointwise_demo() -> Demo:
    """A 1x1 as a dense layer over channels, 224x224x100 → 224x224x50."""
    shape: Shape = (100, 224, 224)
    return Demo(
        before="A 1x1 convolution is a dense layer over the channels, the same at every pixel.\n"
        "Here 3 channels become 2 with weights [1 0 2] and [0 1 -1], on a row of three pixels:\n\n"
        + _pixels()
        + "\n\nDown from 100 channels to 50 on 224x224, or up from 50 to 100:",
        table=_weighed((*depth_changes(100, 50), *depth_changes(50, 100)[:1]), shape),
        after="The dense layer over 100 channels has 100·50 = 5,000 weights too; used at 224·224\n"
        "pixels, that is 250,880,000 multiply-adds. A ReLU behind it adds a non-linearity without\n"
        "widening the receptive field.",
    )


def _weighed(blocks: tuple[Block, ...], shape: Shape) -> Table:
    """Blocks next to each other, each on as many maps of the shape's size as it reads."""
    rows = []
    for block in blocks:
        channels = block.branches[0][0].c_in
        cost = block.cost((channels, *shape[1:]))
        rows.append(
            (
                block.name,
                f"{channels} → {cost.output[0]}",
                block.taps,
                cost.weights,
                cost.macs,
                shape_text(block.field(shape[1:])),
                block.layers,
            )
        )
    columns = ("layers", "channels", "taps", "weights", "MACs", "field", "non-linearities")
    return Table(columns, tuple(rows))


def _pool(kind: Literal["max", "avg"], kernel: int, *, ceil: bool = False) -> Pool:
    return Pool(kind=kind, geometry=Geometry(kernel=(kernel, kernel), stride=(2, 2)), ceil=ceil)


def _relu(grid: Grid) -> Grid:
    return tuple(tuple(max(0, value) for value in row) for row in grid)


def _relu_order() -> str:
    """ReLU commutes with the max, not with the mean."""
    lines = ["ReLU before or after the pool, on the 5x5 above:", ""]
    kinds: tuple[tuple[Literal["max", "avg"], str], ...] = (("max", "max "), ("avg", "mean"))
    for kind, name in kinds:
        pool = _pool(kind, 2)
        before, after = pool.values(_relu(POOLED)), _relu(pool.values(POOLED))
        verdict = "the same" if before == after else "not the same"
        texts = [
            ", ".join(f"{value:g}" for row in grid for value in row) for grid in (before, after)
        ]
        lines.append(f"  {name}  before: {texts[0]}   after: {texts[1]}   {verdict}")
    padded = [_first_mean(counted) for counted in (True, False)]
    return "\n".join(
        [
            *lines,
            "",
            "After a max pool the ReLU has a quarter of the values to look at.",
            "",
            "A mean over zeros of the padding: torch divides by all 9 of a 3x3 (count_include_pad)",
            f"or by the 4 that are input: {padded[0]:.3f} or {padded[1]:.3f} in the first corner.",
        ]
    )


def _first_mean(counted: bool) -> float:
    """The top left output of a 3x3 mean with padding 1."""
    geometry = Geometry(kernel=(3, 3), padding=(1, 1))
    return Pool(kind="avg", geometry=geometry, count_include_pad=counted).values(POOLED)[0][0]


def _pixels() -> str:
    weights, pixels = ((1, 0, 2), (0, 1, -1)), ((4, 1, 3), (2, 0, 5), (1, 6, 2))
    lines = []
    for pixel in pixels:
        sums = [
            sum(weight * value for weight, value in zip(row, pixel, strict=True)) for row in weights
        ]
        lines.append(f"  pixel {list(pixel)} → {sums}")
    return "\n".join(lines)


DEMOS: dict[str, Callable[[], Demo]] = {
    "transposed": transposed,
    "gridding": gridding,
    "inception": inception_demo,
    "reduction": reduction_demo,
    "factorise": factorise,
    "pooling": pooling,
    "pointwise": pointwise_demo,
}
