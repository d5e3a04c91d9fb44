"""Every kind of operation: more is never less work."""

import pytest

from convatlas import atlas
from convatlas.graph.propagate import propagate

NAMES = ("lenet5", "alexnet@torchvision", "densenet121", "googlenet", "inception_v3", "unet")


@pytest.mark.parametrize("name", NAMES)
def test_more_pictures_are_proportionally_more(name: str) -> None:
    graph = atlas.graph(name)
    one, three = (propagate(graph, ((n, *graph.inputs[0][1:]),)) for n in (1, 3))
    for a, b in zip(one.measures, three.measures, strict=True):
        if a.shape != b.shape:  # not a constant
            assert (b.macs, b.work) == (3 * a.macs, 3 * a.work)


@pytest.mark.parametrize("name", NAMES[1:])
def test_larger_pictures_are_never_less(name: str) -> None:
    graph = atlas.graph(name)
    n, c, height, width = graph.inputs[0]
    small, large = (propagate(graph, ((n, c, height + k, width + k),)) for k in (0, 32))
    for a, b in zip(small.measures, large.measures, strict=True):
        assert b.macs >= a.macs
        assert b.work >= a.work
    assert large.macs > small.macs
