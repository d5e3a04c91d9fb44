"""As much of a network in int8 as may be, found in a few steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from convatlas.runtime.int8.judge import Feeds, Judgement, Limits
from convatlas.runtime.int8.prepared import Prepared
from convatlas.runtime.int8.sample import DRAWN
from convatlas.runtime.int8.sensitivity import most_sensitive

MOST_KEPT = 2  # at most one layer in two stays float32; with more, float32 is the better choice


class Quantise(Protocol):
    """A quantiser: the named nodes stay float32."""

    def __call__(self, model: Prepared, feeds: Feeds, *, keep: tuple[str, ...]) -> Any:
        """A model as the quantiser's engine takes it."""


@dataclass(frozen=True, slots=True)
class Found:
    """An int8 model, how it was judged, and the modules of the layers that stay float32."""

    model: Any
    judgement: Judgement
    kept: tuple[str, ...] = ()


def search(
    model: Prepared,
    feeds: Feeds,
    quantise: Quantise,
    judge: Callable[[Any], Judgement],
    limits: Limits,
) -> Found:
    """The first that passes the limits, or the last and mildest one tried, which does not.

    All layers in int8; if that is not good enough, without the most sensitive 1, 2, 4 and 8 of 16
    groups of layers. The order comes from the calibrating pictures; the judged ones only say when
    to stop, at most five times. Of drawn weights no layer is more telling than another, so there
    is but the first attempt.
    """
    found: Found | None = None
    for nodes, modules in islice(_attempts(model, feeds), _most(feeds)):
        made = quantise(model, feeds, keep=nodes)
        found = Found(made, judge(made), modules)
        if found.judgement.passes(limits):
            break
    assert found
    return found


def _most(feeds: Feeds) -> int | None:
    return 1 if feeds.sample.unknown == DRAWN else None


def _attempts(model: Prepared, feeds: Feeds) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Nodes and modules to leave in float32: none, then more and more."""
    yield (), ()
    order, count = most_sensitive(model, feeds), 1
    while count <= len(order) // MOST_KEPT:
        layers = [layer for group in order[:count] for layer in group]
        yield tuple(each.node for each in layers), tuple(each.module for each in layers)
        count *= 2
