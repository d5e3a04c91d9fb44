"""Networks which between them hold every kind of operation of the atlas, as export sees them."""

import dataclasses
from collections.abc import Iterable
from functools import cache
from typing import Any

from convatlas import atlas
from convatlas.errors import UserError
from convatlas.graph.graph import Node
from convatlas.graph.operation import Operation
from convatlas.graph.propagate import propagate
from convatlas.runtime.cases import LARGER

# What only makes a tensor longer, or nothing at all outside training.
COUNTS = ("c_in", "c_out", "features", "links", "momentum", "over", "p", "inplace", "name", "sizes")
# Places on an axis, which are computed from sizes: only their side and number tell exports apart.
PLACES = ("start", "stop", "index", "shifts", "widths")

Kind = tuple[object, ...]


def representatives(names: Iterable[str]) -> tuple[str, ...]:
    """Of these networks enough to hold all kinds that they hold, and cheap ones.

    Greedily, the network with most that is new for its cost; then those that became needless go.
    """
    kinds = {name: kinds_of(name) for name in names}
    left, chosen = set().union(*kinds.values()), []
    while left:
        best = max(kinds, key=lambda name: len(kinds[name] & left) / cost(name))
        chosen.append(best)
        left -= kinds[best]
    for name in sorted(chosen, key=cost, reverse=True):
        others = [kinds[other] for other in chosen if other != name]
        if kinds[name] <= set().union(*others):
            chosen.remove(name)
    return tuple(sorted(chosen, key=cost))


def take_another_size() -> tuple[str, ...]:
    """The networks that can be exported for any size: another passes, and none is compared."""
    return tuple(
        entry.name
        for entry in atlas.entries()
        if not atlas.graph(entry.name).guards and _another_passes(entry.name)
    )


def _another_passes(name: str) -> bool:
    graph = atlas.graph(name)
    channels, height, width = atlas.entry(name).input
    for more, wider in LARGER:
        try:
            propagate(graph, ((1, channels, height + more, width + wider),))
        except UserError:
            continue
        return True
    return False


@cache
def kinds_of(name: str) -> frozenset[Kind]:
    """The distinct kinds of operation in a network."""
    return frozenset(kind(node) for node in atlas.graph(name).nodes)


@cache
def cost(name: str) -> float:
    """About the seconds of an export and a few runs."""
    entry = atlas.entry(name)
    nodes = len(atlas.graph(name).nodes)
    return 1 + nodes / 50 + entry.macs / 2e9 + entry.parameters / 1e7


def kind(node: Node) -> Kind:
    """An operation and its attributes, without the counts that change nothing but lengths."""
    made = node.operation
    fields = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    settings = {name: value for name, value in fields.items() if name not in COUNTS}
    if "groups" in settings:
        settings["groups"] = _groups(made)
    if "constant" in settings:
        settings["constant"] = settings["constant"] is not None
    for name in PLACES:
        if name in settings:
            settings[name] = _sides(settings[name])
    rank = len(fields["sizes"]) if "sizes" in fields else 0
    return (type(made).__name__, rank, len(node.inputs), *sorted(settings.items(), key=str))


def _groups(made: Operation) -> str:
    groups, c_in = getattr(made, "groups"), getattr(made, "c_in")  # noqa: B009 - of two classes
    return "one" if groups == 1 else "each" if groups == c_in else "some"


def _sides(places: Any) -> Any:
    """Signs of numbers, and ``computed`` for what depends on sizes."""
    if isinstance(places, tuple):
        return tuple(map(_sides, places))
    if isinstance(places, int):
        return (places > 0) - (places < 0)
    return places if places is None else "computed"
