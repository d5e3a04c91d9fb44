import pytest

from convatlas.arithmetic.stack import parse_pair, parse_stack, stack_text
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError


def test_each_option_reaches_its_axis() -> None:
    ((rows, columns),) = parse_stack("3x5d2s2x1p1x0")
    assert rows == Window(kernel=3, stride=2, dilation=2, border=(1, 1))
    assert columns == Window(kernel=5, stride=1, dilation=2, border=(0, 0))


@pytest.mark.parametrize("text", ["3 3 3", "3d2 3d2", "7s2p3 3s2p1 3x1p1x0", "2s2", "3d1x2", "1"])
def test_text_comes_back(text: str) -> None:
    assert stack_text(parse_stack(text)) == text


def test_order_commas_and_usual_values_do_not_matter() -> None:
    assert parse_stack("3p1s2,3d1") == parse_stack(" 3s2p1   3 ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet50", "'resnet50' is no layer of a stack; write kernels"),
        ("3 3q2", "'3q2' is no layer"),
        ("3d2d3", "gives an option twice"),
        ("", "needs at least one layer"),
        ("3d0", "dilation is 0"),
        ("0", "kernel is 0"),
        ("3s0", "stride is 0"),
        ("3x3x3", "'3x3x3' is no layer"),
        ("10000", "the largest number is 9999"),
        ("٣", "is no"),  # a digit of another script
    ],
)
def test_what_is_no_stack_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_stack(text)


def test_pairs() -> None:
    assert (parse_pair("3"), parse_pair("3x5")) == ((3, 3), (3, 5))
    with pytest.raises(UserError, match="'3x' is no size"):
        parse_pair("3x")
