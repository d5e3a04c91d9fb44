"""Which layers suffer most from int8, asked of the calibrating pictures alone."""

from collections.abc import Sequence

import numpy as np

from convatlas.runtime.closeness import relative_error
from convatlas.runtime.int8 import onnx_quantiser
from convatlas.runtime.int8.judge import Feeds
from convatlas.runtime.int8.prepared import Layer, Prepared
from convatlas.runtime.sessions import onnx_runner

GROUPS = 16
PICTURES = 32

Group = tuple[Layer, ...]


def groups(layers: Sequence[Layer], most: int = GROUPS) -> tuple[Group, ...]:
    """Layers in the order they are computed, the first and the last by themselves.

    These two are known to be the most sensitive; the others are divided into equal runs.
    """
    if len(layers) <= most:
        return tuple((layer,) for layer in layers)
    places = np.array_split(np.arange(1, len(layers) - 1), most - 2)
    middle = (tuple(layers[place] for place in part) for part in places)
    return ((layers[0],), *middle, (layers[-1],))


def most_sensitive(model: Prepared, feeds: Feeds) -> tuple[Group, ...]:
    """The groups by the error their quantising alone puts on the scores, largest first."""
    few = Feeds(feeds.sample, feeds.card, PICTURES)
    original = onnx_runner(model.model.read_bytes())
    expected = [original(fed) for fed in few]

    def error(group: Group) -> float:
        others = [layer.node for layer in model.layers if layer not in group]
        run = onnx_runner(onnx_quantiser.quantise(model, feeds, keep=others))
        pairs = zip(few, expected, strict=True)
        return sum(relative_error(run(fed), scores) for fed, scores in pairs)

    return tuple(sorted(groups(model.layers), key=error, reverse=True))
