"""The layers of well-known arguments: several kernels at once, 1x1 reduction, factorisation."""

from dataclasses import replace

from convatlas.arithmetic.alternatives import Block, Branch
from convatlas.arithmetic.convolution import Convolution
from convatlas.arithmetic.geometry import Geometry, Shape

INCEPTION_INPUT: Shape = (192, 28, 28)


def square(c_in: int, c_out: int, kernel: int, *, bias: bool = True) -> Convolution:
    """A k x k convolution that keeps the size."""
    return oblong(c_in, c_out, kernel, kernel, bias=bias)


def oblong(c_in: int, c_out: int, height: int, width: int, *, bias: bool = True) -> Convolution:
    """A kernel of height x width that keeps the size."""
    geometry = Geometry(kernel=(height, width), padding="same")
    return Convolution(c_in=c_in, c_out=c_out, geometry=geometry, bias=bias)


def inception_branches() -> dict[str, Branch]:
    """Block 3a of GoogLeNet (Szegedy et al. 2015, Table 1), on 192 maps of 28x28."""
    return {
        "1x1": (square(192, 64, 1),),
        "1x1, then 3x3": (square(192, 96, 1), square(96, 128, 3)),
        "1x1, then 5x5": (square(192, 16, 1), square(16, 32, 5)),
        "3x3 max pool, then 1x1": (square(192, 32, 1),),
    }


def inception() -> tuple[Block, ...]:
    """Block 3a, its kernels without the 1x1 reductions, and single kernels of as many outputs."""
    branches = tuple(inception_branches().values())
    kernels = tuple((replace(branch[-1], c_in=192),) for branch in branches)
    return (
        Block("the block", branches),
        Block("its last kernels side by side, no reduction", kernels),
        Block("one 3x3", ((square(192, 256, 3),),)),
        Block("one 5x5", ((square(192, 256, 5),),)),
    )


def reduction(c_in: int = 256, between: int = 64, c_out: int = 192) -> tuple[Block, ...]:
    """A 3x3, and a 1x1 that leaves it fewer channels to read."""
    return (
        Block(f"3x3, {c_in} → {c_out}", ((square(c_in, c_out, 3),),)),
        Block(
            f"1x1, {c_in} → {between}; 3x3, {between} → {c_out}",
            ((square(c_in, between, 1), square(between, c_out, 3)),),
        ),
    )


def factorisations(channels: int) -> tuple[tuple[Block, ...], ...]:
    """Kernels, each followed by what can stand for it (Szegedy et al. 2016, section 3).

    Every layer is ``channels`` wide.
    """

    def block(*kernels: tuple[int, int]) -> Block:
        name = " + ".join(f"{height}x{width}" for height, width in kernels)
        return Block(name, (tuple(oblong(channels, channels, *pair) for pair in kernels),))

    return (
        (block((5, 5)), block((3, 3), (3, 3))),
        (block((3, 3)), block((1, 3), (3, 1))),
        (block((7, 7)), block((3, 3), (3, 3), (3, 3)), block((1, 7), (7, 1))),
    )


def depth_changes(c_in: int = 100, c_out: int = 50) -> tuple[Block, ...]:
    """A 1x1 that lowers the depth, against larger kernels that do."""
    return tuple(Block(f"{k}x{k}", ((square(c_in, c_out, k),),)) for k in (1, 3, 5))
