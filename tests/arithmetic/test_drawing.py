from convatlas.arithmetic.coverage import coverage
from convatlas.arithmetic.drawing import beside, of_coverage, of_grid, of_transposed, of_windows
from convatlas.arithmetic.geometry import Geometry
from convatlas.arithmetic.stack import parse_stack
from convatlas.arithmetic.transposed import Transposed
from convatlas.arithmetic.window import Window


def drawn(window: Window, size: int) -> str:
    return of_windows((window, window), (size, size))


def test_a_window_and_the_pixels_it_loses() -> None:
    assert drawn(Window(kernel=2, stride=2), 3).split("\n") == [
        "input 3x3       output 1x1",
        "■ ■ ×       →   ■",
        "■ ■ ×",
        "× × ×",
        "■ read for the first output  × never read",
    ]


def test_a_window_that_begins_in_the_padding() -> None:
    lines = drawn(Window(kernel=3, border=(1, 1)), 2).split("\n")
    assert lines[1:3] == ["□ □ □ ░         ■ ·", "□ ■ ■ ░     →   · ·"]


def test_only_the_corner_of_a_large_map_is_drawn() -> None:
    lines = drawn(Window(kernel=3), 9999).split("\n")
    assert len(lines) == 9
    assert all(len(line) < 80 for line in lines)
    assert lines[1].count("…") == 2


def test_a_transposed_convolution_paints() -> None:
    layer = Transposed(c_in=1, c_out=1, geometry=Geometry(kernel=(2, 2), stride=(2, 2)))
    assert of_transposed(layer, (2, 2)).split("\n")[1:5] == [
        "· ·             · · · ·",
        "· ■         →   · · · ·",
        "                · · ■ ■",
        "                · · ■ ■",
    ]


def test_coverage_shows_the_holes() -> None:
    assert of_coverage(coverage(parse_stack("2d2"))) == "■ · ■\n· · ·\n■ · ■"


def test_numbers_line_up() -> None:
    assert of_grid(((1, -20), (0.5, 3))) == "  1 -20\n0.5   3"
    assert beside("1\n2\n3", "*", "4") == "1\n2   *   4\n3"
