"""Normalisations: shapes, work by hand, parameters; more maps than the layer has are refused."""

import pytest
from torch import nn

from convatlas.capture.capture import CaptureError, capture
from convatlas.graph.propagate import propagate

VALUES = 2 * 6 * 8 * 8


@pytest.mark.parametrize(
    ("layer", "work"),
    [
        (nn.BatchNorm2d(6), 2),
        (nn.BatchNorm2d(6, affine=False), 2),
        (nn.BatchNorm2d(6, track_running_stats=False), 4),
        (nn.InstanceNorm2d(6), 4),
        (nn.InstanceNorm2d(6, affine=True, track_running_stats=True), 2),
        (nn.GroupNorm(3, 6), 4),
        (nn.LayerNorm([6, 8, 8]), 4),
        (nn.LayerNorm(8, bias=False), 4),
        (nn.RMSNorm(8), 2),
        (nn.LocalResponseNorm(5), 8),
    ],
)
def test_work_for_each_value(layer: nn.Module, work: int) -> None:
    graph = capture(layer, (2, 6, 8, 8), training=False)
    made = propagate(graph)
    assert made.shapes[-1] == (2, 6, 8, 8)
    assert made.work == work * VALUES
    assert made.macs == 0
    assert not graph.unused
    assert not graph.unknown


def test_statistics_of_the_batch_in_training() -> None:
    assert propagate(capture(nn.BatchNorm2d(6), (2, 6, 8, 8), training=True)).work == 4 * VALUES
    with pytest.raises(CaptureError, match="more than one value"):
        capture(nn.BatchNorm2d(6), (1, 6, 1, 1), training=True)


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(8), nn.GroupNorm(2, 8), nn.LayerNorm(9)])
def test_maps_that_do_not_fit(layer: nn.Module) -> None:
    with pytest.raises(CaptureError, match=r"normalises (8 maps|9), given 2×6×8×8"):
        capture(layer, (2, 6, 8, 8), training=False)
