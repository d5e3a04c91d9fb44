"""Where resized positions lie, against the weights that torch gives to their neighbours."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from convatlas.graph.field_axes import Axis, Field
from convatlas.graph.field_rules import resized
from convatlas.graph.pixels import Line, interpolated
from convatlas.graph.rearrange import Resize
from convatlas.graph.resampling import grid

SIZES = list(itertools.product((2, 3, 5, 8, 12), (1, 2, 3, 4, 6, 9, 16, 24)))
TINY = 1e-9  # weights below come from rounding: a true one is at least 1/(2·24)³/2


def weights(size: int, operation: Resize) -> torch.Tensor:
    """(out, size): how much each position takes from each; by way of the gradient."""
    one = torch.eye(size, dtype=torch.float64)[:, None, None]  # (size, 1, 1, size)
    aligned = operation.align_corners if operation.mode in ("bilinear", "bicubic") else None
    kwargs = {"mode": operation.mode, "align_corners": aligned}
    if operation.sizes is not None:
        made = F.interpolate(one, size=operation.sizes, **kwargs)
    else:
        made = F.interpolate(one, scale_factor=operation.factors, **kwargs)
    return made[:, 0, 0].T


def check(size: int, operation: Resize) -> None:
    found = weights(size, operation).abs() > TINY
    start, step = grid(operation, 1, size, len(found))
    back = interpolated(start, step, operation.mode, size)
    for position, row in enumerate(found):
        read = set(back(Line(1, position)))
        assert read == set(row.nonzero().flatten().tolist()), (size, operation, position)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_sizes(mode: str) -> None:
    for size, out in SIZES:
        check(size, Resize(mode=mode, sizes=(1, out)))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_corners_that_are_aligned(mode: str) -> None:
    for size, out in SIZES:
        check(size, Resize(mode=mode, sizes=(1, out), align_corners=True))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_factor_counts_as_it_is_given(mode: str) -> None:
    """7 by 1.5 is 10, but positions lie 1/1.5 apart and not 7/10."""
    for size, factor in itertools.product((4, 5, 7, 9), (0.5, 0.75, 1.5, 2.0, 2.5)):
        check(size, Resize(mode=mode, sizes=None, factors=(1.0, factor)))


def test_areas_are_windows() -> None:
    operation = Resize(mode="area", sizes=(3,))
    field = Field((Axis(0, 0, 1, 1),), (2,))
    made = resized(operation, [field], [(1, 1, 8)], (1, 1, 3))
    assert made is not None
    # Positions 0 to 2 read 0-2, 2-5 and 5-7.
    assert made.axes[0].phases == ((0, 2), (2, 5), (5, 7))
    assert made.size == (4,)
