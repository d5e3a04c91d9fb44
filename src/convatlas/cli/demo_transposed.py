"""``convatlas conv --demo transposed``: 4x4 → 2x2 → 4x4, seen as painting and as a matrix."""

from convatlas.arithmetic.drawing import beside, of_grid
from convatlas.arithmetic.views import (
    Grid,
    applied,
    as_matrix,
    convolve,
    flat,
    folded,
    scaled,
    scatter,
    transpose,
)
from convatlas.cli.demo import Demo
from convatlas.tables import Table

KERNEL: Grid = ((1, 2, 1), (2, 1, 2), (1, 1, 2))
PICTURE: Grid = ((2, 1, 5, 1), (7, 8, 2, 2), (3, 3, 7, 4), (6, 0, 3, 9))


def transposed() -> Demo:
    """Down with a 3x3 convolution, up again with its transpose."""
    small = convolve(PICTURE, KERNEL)
    matrix = as_matrix(KERNEL, len(PICTURE), len(PICTURE[0]))
    back = folded(applied(transpose(matrix), flat(small)), len(PICTURE[0]))
    before = "\n\n".join(
        [
            "Transposed convolution: 4x4 → 2x2 → 4x4",
            _down(small),
            _scatter_view(small),
            _matrix_view(matrix),
        ]
    )
    return Demo(before=before, table=_table(small, back), after=_verdict(back))


def _down(small: Grid) -> str:
    """The convolution that is undone in size."""
    return "A 3x3 kernel on a 4x4 input, no padding, stride 1, leaves 2x2:\n\n" + beside(
        of_grid(PICTURE), "*", of_grid(KERNEL), "=", of_grid(small)
    )


def _scatter_view(small: Grid) -> str:
    first = small[0][0]
    return (
        "Scatter view. The transposed convolution goes the other way: each of the four values\n"
        f"paints the kernel, times itself, into a 4x4 output. The value {first} paints\n\n"
        + beside(str(first), "·", of_grid(KERNEL), "=", of_grid(scaled(first, KERNEL)))
        + "\n\nThe four painted squares overlap; where they do, they are added:\n\n"
        + of_grid(scatter(small, KERNEL))
    )


def _matrix_view(matrix: Grid) -> str:
    return (
        "Matrix view. Read the 4x4 input row by row as 16 numbers. The convolution is then a\n"
        f"{len(matrix)}x{len(matrix[0])} matrix, one row for each of the 4 outputs:\n\n"
        + of_grid(matrix).replace("0", "·")
        + "\n\n4x16 times 16 numbers gives 4, the 2x2 map. Turned over, 16x4 times 4 numbers\n"
        "gives 16: the same 4x4 as by painting. That is where the name comes from."
    )


def _table(small: Grid, back: Grid) -> Table:
    steps = (
        ("input", PICTURE),
        ("convolution", small),
        ("transposed convolution", back),
    )
    return Table(
        ("step", "size", "values, row by row"),
        tuple(
            (name, f"{len(grid)}x{len(grid[0])}", " ".join(map(str, flat(grid))))
            for name, grid in steps
        ),
    )


def _verdict(back: Grid) -> str:
    pairs = zip(flat(back), flat(PICTURE), strict=True)
    kept = sum(new == old for new, old in pairs)
    return (
        f"The shape is restored, the values are not: {kept} of 16 are what they were. The matrix\n"
        "is turned over, not inverted; a network learns the weights that make it useful."
    )
