import pytest

from convatlas.arithmetic.geometry import Geometry
from convatlas.errors import UserError


def test_axes_are_apart() -> None:
    geometry = Geometry(kernel=(3, 5), stride=(1, 2), padding=(1, 0), dilation=(2, 1))
    rows, columns = geometry.windows((9, 11))
    assert (rows.span, rows.border, columns.span, columns.stride) == (5, (1, 1), 5, 2)
    assert geometry.output((9, 11)) == (7, 4)


def test_same_depends_on_the_size() -> None:
    rows, columns = Geometry(kernel=(4, 3), stride=(1, 2), padding="same").windows((10, 10))
    assert (rows.border, columns.border) == ((1, 2), (0, 1))


def test_valid_is_no_padding() -> None:
    assert Geometry(kernel=(3, 3), padding="valid").output((5, 5)) == (3, 3)


def test_the_axis_that_is_too_small_is_named() -> None:
    with pytest.raises(UserError, match="width 2: a kernel of 3 is larger"):
        Geometry(kernel=(3, 3)).output((5, 2))
    with pytest.raises(UserError, match="padding is -1"):
        Geometry(kernel=(3, 3), padding=(-1, 0))
