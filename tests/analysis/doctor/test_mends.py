import pytest

from convatlas.analysis.doctor.mends import projection, taking
from convatlas.graph.norm import GroupNorm
from convatlas.graph.operation import Shape


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ((1, 64, 56, 56), (1, 128, 28, 28), "a 1×1 convolution, 64 → 128, stride 2, on the way of"),
        ((1, 128, 27, 27), (1, 64, 53, 53), "a 1×1 convolution, 64 → 128, stride 2, on the way of"),
        ((1, 64, 56, 56), (1, 128, 30, 30), ""),
        ((1, 64), (1, 128), ""),
    ],
)
def test_projection(one: Shape, other: Shape, text: str) -> None:
    assert projection(one, other).startswith(text)
    assert bool(projection(one, other)) is bool(text)


def test_groups_must_divide() -> None:
    norm = GroupNorm(features=32, groups=4, eps=1e-5)
    assert taking(norm, 18, "norm") is None
    assert taking(norm, 16, "") is None
    mend = taking(norm, 16, "norm")
    assert mend is not None
    assert mend.text == "num_channels=16 in norm"
