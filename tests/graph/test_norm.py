import pytest

from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm
from convatlas.graph.operation import Measure, ShapeError


def test_work_for_each_value() -> None:
    """Statistics 2, scale and shift 2; running statistics are there already."""
    shape = (2, 6, 4, 4)
    still = BatchNorm(features=6, eps=1e-5, momentum=0.1)
    assert still.measure((shape,)) == Measure(shape, 0, 2 * 192)
    batch = BatchNorm(features=6, eps=1e-5, momentum=0.1, training=True)
    assert batch.measure((shape,)) == Measure(shape, 0, 4 * 192)
    assert GroupNorm(features=6, groups=3, eps=1e-5).measure((shape,)) == Measure(shape, 0, 4 * 192)
    assert LayerNorm(over=(4, 4), eps=1e-5).measure((shape,)) == Measure(shape, 0, 4 * 192)
    root = LayerNorm(over=(4,), eps=1e-5, centred=False)
    assert root.measure((shape,)) == Measure(shape, 0, 2 * 192)


def test_response_normalisation_reads_its_neighbours() -> None:
    """AlexNet: 5 maps, so 5 additions, a square, a power and a quotient."""
    operation = ResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0)
    assert operation.measure(((1, 96, 2, 2),)).work == 8 * 96 * 4


def test_other_widths_are_refused() -> None:
    with pytest.raises(ShapeError, match="normalises 6 maps, given 2×5×4×4"):
        BatchNorm(features=6, eps=1e-5, momentum=0.1).measure(((2, 5, 4, 4),))
    with pytest.raises(ShapeError, match="normalises 6 maps, given 6"):
        GroupNorm(features=6, groups=3, eps=1e-5).measure(((6,),))
    with pytest.raises(ShapeError, match="normalises 4×4, given 2×6×4×5"):
        LayerNorm(over=(4, 4), eps=1e-5).measure(((2, 6, 4, 5),))


def test_a_single_value_has_no_statistics() -> None:
    batch = BatchNorm(features=6, eps=1e-5, momentum=0.1, training=True)
    with pytest.raises(ShapeError, match="more than one value for each map, given 1×6×1×1; use a"):
        batch.measure(((1, 6, 1, 1),))
    assert batch.measure(((2, 6, 1, 1),)).shape == (2, 6, 1, 1)
