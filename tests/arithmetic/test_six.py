import pytest

from convatlas.arithmetic.geometry import Geometry
from convatlas.arithmetic.six import six
from convatlas.errors import UserError

SAME = Geometry(kernel=(10, 10), padding="same")


def test_the_six_layers_of_the_notes() -> None:
    rivals = six((3, 10, 10), 30, SAME)
    parameters = [rival.cost.parameters for rival in rivals]
    assert parameters == [903_000, 9_030, 9_030, 3_030, 120, 423]
    assert {rival.cost.output for rival in rivals} == {(30, 10, 10)}
    assert rivals[0].working == "300·3,000 + 3,000"
    assert rivals[3].name == "grouped, 3 groups"


def test_groups_fall_back_on_those_that_divide() -> None:
    assert six((3, 64, 64), 4, SAME)[3].name == "grouped, 1 group"
    assert six((6, 64, 64), 4, SAME)[3].name == "grouped, 2 groups"
    assert six((8, 9, 9), 8, SAME, groups=4)[3].name == "grouped, 4 groups"


def test_stride_and_dilation_reach_the_layers_they_mean() -> None:
    geometry = Geometry(kernel=(3, 3), stride=(2, 2), padding="same", dilation=(4, 4))
    rivals = six((4, 9, 9), 8, geometry, bias=False)
    assert {rival.cost.output for rival in rivals} == {(8, 5, 5)}
    assert rivals[2].name == "dilated by 4"
    assert sum(rival.cost.biases for rival in rivals) == 0


def test_the_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(UserError, match="the dilated by 2 layer: height 10"):
        six((3, 10, 10), 30, Geometry(kernel=(10, 10)))
