"""Small text drawings: a window on its input, the output beside it, and coverage maps."""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TypeVar

from convatlas.arithmetic.coverage import Coverage
from convatlas.arithmetic.geometry import Pair
from convatlas.arithmetic.transposed import Transposed
from convatlas.arithmetic.window import Window

TALLEST, WIDEST = 12, 16  # rows and columns of a grid that is drawn whole
CORNER = 6, 12  # of a larger one, only the corner
READ, READ_PADDING, PADDING, PIXEL, LOST = "■□░·×"
Axis = TypeVar("Axis")
MEANINGS = {
    READ: "read for the first output",
    READ_PADDING: "the same, in the padding",
    PADDING: "padding",
    LOST: "never read",
}


def of_windows(windows: tuple[Window, Window], size: Pair) -> str:
    """The input with the window of the first output, the output beside it, and a legend."""
    axes = [_axis(window, length) for window, length in zip(windows, size, strict=True)]
    grid = _grid(axes, _cell)
    output = windows[0].output(size[0]), windows[1].output(size[1])
    first = _grid([_marked(length, {0}) for length in output], _dot)
    used = {cell for row in grid for cell in row}
    legend = [f"{mark} {meaning}" for mark, meaning in MEANINGS.items() if mark in used]
    return f"{_pair(size, grid, output, first)}\n{'  '.join(legend)}"


def of_transposed(layer: Transposed, size: Pair) -> str:
    """One input pixel and the outputs it paints."""
    output = layer.output(size)
    inputs, outputs = [], []
    for axis, window in enumerate(layer.geometry.windows(size)):
        pixel = min(size[axis] // 2, 1)
        first = pixel * window.stride - layer.borders[axis][0]
        inputs.append(_marked(size[axis], {pixel}))
        painted = set(range(first, first + window.span, window.dilation))
        outputs.append(_marked(output[axis], painted))
    grids = _grid(inputs, _dot), _grid(outputs, _dot)
    return (
        f"{_pair(size, grids[0], output, grids[1])}\n"
        f"{READ} one input value and the outputs it paints"
    )


def of_coverage(coverage: Coverage) -> str:
    """The field pixel by pixel: read or never read."""
    return "\n".join(
        " ".join(READ if row and column else PIXEL for column in coverage.columns)
        for row in coverage.rows
    )


def of_grid(grid: Sequence[Sequence[float]]) -> str:
    """Numbers in columns of one width."""
    cells = [[f"{value:g}" for value in row] for row in grid]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join(" ".join(cell.rjust(width) for cell in row) for row in cells)


def beside(*blocks: str, gap: str = "   ") -> str:
    """Blocks of text next to each other; a block of one line stands in the middle."""
    columns = [block.split("\n") for block in blocks]
    height = max(map(len, columns))
    padded = [
        [""] * ((height - 1) // 2) + column if len(column) == 1 else column for column in columns
    ]
    widths = [max(map(len, column)) for column in padded]
    return "\n".join(
        gap.join(line.ljust(width) for line, width in zip(lines, widths, strict=True)).rstrip()
        for lines in zip_longest(*padded, fillvalue="")
    )


def _axis(window: Window, size: int) -> list[tuple[bool, bool, bool]]:
    """For each place of the padded axis: is it input, is it read first, is it read at all."""
    before, after = window.border
    end = max(size + after, window.span - before)  # a window rounded up may hang over
    taps = set(range(-before, window.span - before, window.dilation))
    lost = set(window.unread(size))
    return [(0 <= at < size, at in taps, at not in lost) for at in range(-before, end)]


def _cell(row: tuple[bool, bool, bool], column: tuple[bool, bool, bool]) -> str:
    inside, first, seen = (a and b for a, b in zip(row, column, strict=True))
    if first:
        return READ if inside else READ_PADDING
    if not inside:
        return PADDING
    return PIXEL if seen else LOST


def _marked(size: int, places: set[int]) -> list[bool]:
    """An axis of which some places are marked."""
    return [at in places for at in range(size)]


def _dot(row: bool, column: bool) -> str:
    return READ if row and column else PIXEL


def _grid(axes: Sequence[Sequence[Axis]], cell: Callable[[Axis, Axis], str]) -> list[str]:
    """The top left corner as lines, with an ellipsis where something is cut off."""
    (rows, tall), (columns, wide) = (
        (axis[:corner], True) if len(axis) > largest else (axis, False)
        for axis, largest, corner in zip(axes, (TALLEST, WIDEST), CORNER, strict=True)
    )
    lines = [" ".join([*(cell(row, column) for column in columns), *["…"] * wide]) for row in rows]
    return lines + ["⋮"] * tall


def _pair(size: Pair, grid: list[str], output: Pair, result: list[str]) -> str:
    """Two grids below their sizes, an arrow between."""
    return beside(
        "\n".join([f"input {size[0]}x{size[1]}", *grid]),
        "→",
        "\n".join([f"output {output[0]}x{output[1]}", *result]),
    )
