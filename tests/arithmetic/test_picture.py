import xml.etree.ElementTree as ET

import pytest

from convatlas.arithmetic.coverage import coverage
from convatlas.arithmetic.picture import coverage_svg
from convatlas.arithmetic.stack import parse_stack
from convatlas.errors import UserError

SVG = "{http://www.w3.org/2000/svg}"


def test_a_square_for_each_pixel_and_white_for_holes() -> None:
    svg = ET.fromstring(coverage_svg(coverage(parse_stack("3d2 3d2 3d2")), "3d2 & more"))
    squares = svg.findall(f"{SVG}g/{SVG}rect")
    assert len(squares) == 169
    assert sum(square.get("fill") == "#ffffff" for square in squares) == 120
    assert svg.findtext(f"{SVG}title") == "3d2 & more: 49 of 169 pixels read"
    counts = [int(square.findtext(f"{SVG}title") or 0) for square in squares]
    assert max(counts) == counts[84] == 49
    assert squares[84].get("fill") == "#08306b"


def test_the_squares_lie_inside_the_picture() -> None:
    svg = ET.fromstring(coverage_svg(coverage(parse_stack("3 5x7")), "3 5x7"))
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    for square in svg.findall(f"{SVG}g/{SVG}rect"):
        assert float(square.get("x", 0)) + float(square.get("width", 0)) <= width
        assert float(square.get("y", 0)) + float(square.get("height", 0)) <= height


def test_a_field_too_large_is_refused() -> None:
    with pytest.raises(UserError, match="too large to draw"):
        coverage_svg(coverage(parse_stack("300")), "300")
