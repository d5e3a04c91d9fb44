import pytest

from convatlas import atlas
from convatlas.analysis.picture import inputs_for, parse_shape
from convatlas.errors import UserError


@pytest.mark.parametrize(
    ("text", "shape"),
    [("3x224x224", (3, 224, 224)), ("3×7X5", (3, 7, 5)), ("224", (224,)), ("1 x 2", (1, 2))],
)
def test_shapes(text: str, shape: tuple[int, ...]) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["", "x", "0", "0x0", "3x0x0", "-1x2", "3x", "3x1.5", "9" * 6])
def test_what_is_no_shape(text: str) -> None:
    with pytest.raises(UserError, match="is no input size; write channels x height x width"):
        parse_shape(text)


def test_a_side_is_a_square_with_the_networks_own_channels() -> None:
    graph = atlas.graph("lenet5")
    assert inputs_for(graph, ("32",), 4) == ((4, 1, 32, 32),)
    assert inputs_for(graph, ("1x32x40",)) == ((1, 1, 32, 40),)
    assert inputs_for(graph, (), 2) == ((2, 1, 32, 32),)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (("3x32x32",), r"lenet5 takes 1 channels \(1×32×32\), given 3 \(3×32×32\)"),
        (("1x32",), "lenet5 takes 1×32×32, given 1×32"),
        (("32", "32"), "lenet5 takes 1 inputs, given 2"),
    ],
)
def test_what_a_network_does_not_take(texts: tuple[str, ...], says: str) -> None:
    with pytest.raises(UserError, match=says):
        inputs_for(atlas.graph("lenet5"), texts)
