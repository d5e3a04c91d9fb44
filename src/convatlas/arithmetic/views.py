"""Two ways to see a transposed convolution, worked out on small grids.

Scatter view: every input value times the kernel is added into the output. Matrix view: a
convolution is a matrix with one row for each output, and the transposed convolution is that matrix
turned over. Stride 1, no padding.
"""

Grid = tuple[tuple[int, ...], ...]
Matrix = tuple[tuple[int, ...], ...]


def convolve(grid: Grid, kernel: Grid) -> Grid:
    """The kernel at every place where it fits, not turned round: what networks call convolution."""
    height, width = len(grid) - len(kernel) + 1, len(grid[0]) - len(kernel[0]) + 1
    return tuple(
        tuple(
            sum(
                value * grid[top + row][left + column]
                for row, line in enumerate(kernel)
                for column, value in enumerate(line)
            )
            for left in range(width)
        )
        for top in range(height)
    )


def scaled(value: int, kernel: Grid) -> Grid:
    """What one input value paints."""
    return tuple(tuple(value * weight for weight in line) for line in kernel)


def scatter(grid: Grid, kernel: Grid) -> Grid:
    """The sum of what all input values paint, each at its own place."""
    height, width = len(grid) + len(kernel) - 1, len(grid[0]) + len(kernel[0]) - 1
    canvas = [[0] * width for _ in range(height)]
    for top, line in enumerate(grid):
        for left, value in enumerate(line):
            for row, painted in enumerate(scaled(value, kernel)):
                for column, paint in enumerate(painted):
                    canvas[top + row][left + column] += paint
    return tuple(map(tuple, canvas))


def as_matrix(kernel: Grid, height: int, width: int) -> Matrix:
    """The matrix that convolves a grid of that size, read row by row as a vector.

    One row for each output, one column for each input; a 3x3 over 4x4 gives 4 rows of 16.
    """
    rows, columns = len(kernel), len(kernel[0])
    return tuple(
        tuple(
            kernel[y - top][x - left] if 0 <= y - top < rows and 0 <= x - left < columns else 0
            for y in range(height)
            for x in range(width)
        )
        for top in range(height - rows + 1)
        for left in range(width - columns + 1)
    )


def transpose(matrix: Matrix) -> Matrix:
    """Rows become columns."""
    return tuple(zip(*matrix, strict=True))


def applied(matrix: Matrix, vector: tuple[int, ...]) -> tuple[int, ...]:
    """Matrix times vector."""
    return tuple(sum(map(int.__mul__, row, vector)) for row in matrix)


def flat(grid: Grid) -> tuple[int, ...]:
    """Read row by row."""
    return tuple(value for line in grid for value in line)


def folded(vector: tuple[int, ...], width: int) -> Grid:
    """Put back into rows."""
    return tuple(vector[at : at + width] for at in range(0, len(vector), width))
