"""What is left of a graph decides as the whole graph does."""

import pytest

from convatlas import atlas
from convatlas.analysis.legal import square
from convatlas.analysis.skeleton import skeleton
from convatlas.errors import UserError
from convatlas.graph.product import Dense
from convatlas.graph.propagate import DoesNotFit, OtherWay, propagate

SIDES = (1, 2, 3, 5, 8, 13, 15, 16, 17, 28, 31, 32, 33, 63, 64, 75, 100, 223, 224, 255, 256, 300)


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
@pytest.mark.parametrize("training", [False, True])
def test_every_network(name: str, training: bool) -> None:
    graph = atlas.graph(name, training=training)
    bones = skeleton(graph)
    for side in SIDES:
        for batch in (1, 2):
            inputs = square(graph, side, batch)
            walk = bones.walked(inputs)
            try:
                propagate(graph, inputs)
            except OtherWay:
                assert (walk.fits, walk.told) == (True, False), side
            except DoesNotFit as error:
                assert not walk.fits, side
                stopped = graph.nodes[error.index].operation
                assert walk.dense == isinstance(stopped, Dense), side
            except UserError:
                assert not walk.fits, side
            else:
                assert (walk.fits, walk.told) == (True, True), side


def test_a_thousand_layers_are_a_few_steps() -> None:
    graph = atlas.graph("resnet1202-cifar")
    assert len(graph.nodes) > 4000
    assert len(skeleton(graph).steps) < 40
