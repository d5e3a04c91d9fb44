"""The coverage map as an SVG picture, written by hand: no plotting library."""

from html import escape

from convatlas.arithmetic.coverage import Coverage
from convatlas.errors import UserError

SIDE, MARGIN, TITLE = 16, 8, 28  # pixels of a cell, around the map, and above it
WIDEST = 256  # cells of a side; more would not be seen
HOLE, LIGHT, DARK = "#ffffff", (198, 219, 239), (8, 48, 107)


def coverage_svg(coverage: Coverage, title: str) -> str:
    """One square for each pixel of the field, darker the more paths lead from it to the output.

    Holes are white. Raises `UserError` for a field too large to draw.
    """
    height, width = len(coverage.rows), len(coverage.columns)
    if max(height, width) > WIDEST:
        raise UserError(
            f"the field of {height}x{width} is too large to draw; pictures go up to "
            f"{WIDEST}x{WIDEST}, leave --svg out"
        )
    most = max(coverage.rows) * max(coverage.columns)
    cells = "\n".join(
        _square(row, column, count / most, count)
        for row, line in enumerate(coverage.counts())
        for column, count in enumerate(line)
    )
    text = f"{title}: {coverage.read} of {coverage.area} pixels read"
    across = max(width * SIDE, 7 * len(text)) + 2 * MARGIN
    down = TITLE + height * SIDE + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down}" '
        f'width="{across}" height="{down}" role="img">\n<title>{escape(text)}</title>\n'
        f'<rect width="{across}" height="{down}" fill="#ffffff"/>\n'
        f'<text x="{MARGIN}" y="19" font-family="sans-serif" font-size="13">{escape(text)}</text>\n'
        f'<g stroke="#9a9a9a" stroke-width="0.5">\n{cells}\n</g>\n</svg>\n'
    )


def _square(row: int, column: int, strength: float, count: int) -> str:
    """A cell; hovering tells its number of paths."""
    return (
        f'<rect x="{MARGIN + column * SIDE}" y="{TITLE + row * SIDE}" width="{SIDE}" '
        f'height="{SIDE}" fill="{_colour(strength)}"><title>{count}</title></rect>'
    )


def _colour(strength: float) -> str:
    """White for a hole, then from light to dark."""
    if strength == 0:
        return HOLE
    shades = (round(a + (b - a) * strength) for a, b in zip(LIGHT, DARK, strict=True))
    return "#" + "".join(f"{shade:02x}" for shade in shades)
