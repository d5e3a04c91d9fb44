"""What has no counterpart: added, left out, put elsewhere, exchanged, or repeated more often."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from convatlas.analysis.differences.difference import Change, Effect
from convatlas.analysis.differences.matching import Matching, runs
from convatlas.analysis.differences.sides import Side, Sides
from convatlas.analysis.meaning.item import Item
from convatlas.analysis.meaning.words import listed, short

Places = tuple[int, ...]
JOINS = ("addition", "concatenation", "multiplication")


@dataclass(frozen=True, slots=True)
class Part:
    """Items of one network that hang together and have no counterpart."""

    side: Side
    places: Places
    at: int  # where in the first network

    @property
    def items(self) -> list[Item]:
        """The items in order."""
        return [self.side.items[n] for n in self.places]

    @property
    def tokens(self) -> tuple[int, ...]:
        """What they do."""
        return tuple(item.token for item in self.items)

    @property
    def path(self) -> str:
        """The module that holds them all, or the first one's."""
        split = [self.side.paths[n].split(".") for n in self.places]
        common = []
        for names in zip(*split, strict=False):
            if len(set(names)) > 1:
                break
            common.append(names[0])
        return ".".join(common) or self.side.paths[self.places[0]]

    @property
    def cost(self) -> Effect:
        """Its parameters and multiply-adds."""
        of = self.side
        return Effect(
            sum(of.parameters[n] for n in self.places), sum(of.macs[n] for n in self.places)
        )


def of_gaps(sides: Sides, matching: Matching) -> Iterator[Change]:
    """One change for each part without counterpart, or for two that answer each other."""
    a, b = sides
    gone: list[Part] = []
    new: list[Part] = []
    exchanged: list[tuple[Part, Part]] = []
    for run in runs(matching, a.items, b.items):
        pairs = zip_longest(_parts(a, run.a, run.at), _parts(b, run.b, run.at))
        for one, other in pairs:
            if one and other:
                exchanged.append((one, other))
            elif one:
                gone.append(one)
            else:
                new.append(other)
    yield from _moved(gone, new)
    for one, other in exchanged:
        yield Change(
            what="instead",
            a=listed(one.items),
            b=listed(other.items),
            places=((one.path, other.path),),
            effect=_difference(one.cost, other.cost),
            at=one.at,
            plain=(listed(one.items, widths=False), listed(other.items, widths=False)),
        )
    for part in gone:
        yield _repeated(part, b, matching, first=True) or Change(
            what="left out",
            a=listed(part.items),
            b="",
            places=((part.path, ""),),
            effect=_difference(part.cost, Effect()),
            at=part.at,
            plain=(listed(part.items, widths=False), ""),
        )
    for part in new:
        yield _repeated(part, a, matching, first=False) or Change(
            what="added",
            a="",
            b=listed(part.items),
            places=(("", part.path),),
            effect=part.cost,
            at=part.at,
            plain=("", listed(part.items, widths=False)),
        )


def _difference(a: Effect, b: Effect) -> Effect:
    return Effect(b.parameters - a.parameters, b.macs - a.macs)


def _parts(side: Side, places: Places, at: int) -> list[Part]:
    """Places split where nothing is read from one to the next."""
    group: dict[int, int] = {}
    for place in places:
        above = {group[i] for i in side.items[place].inputs if i in group}
        name = min(above, default=place)
        group[place] = name
        for other, old in group.items():
            if old in above:
                group[other] = name
    parts: dict[int, list[int]] = defaultdict(list)
    for place, name in group.items():
        parts[name].append(place)
    return [Part(side, tuple(each), at) for each in parts.values()]


def _moved(gone: list[Part], new: list[Part]) -> Iterator[Change]:
    """The same part at another place; both are taken off the lists."""
    for one in list(gone):
        other = next((part for part in new if part.tokens == one.tokens), None)
        if other is None:
            continue
        gone.remove(one)
        new.remove(other)
        yield Change(
            what=f"place of {listed(one.items)}",
            a=_between(one),
            b=_between(other),
            places=((one.path, other.path),),
            effect=_difference(one.cost, other.cost),
            at=one.at,
        )


def _between(part: Part) -> str:
    """What a part stands between."""
    items, inside = part.side.items, set(part.places)
    above = [i for n in part.places for i in items[n].inputs if i not in inside]
    below = [n for n, item in enumerate(items) if n not in inside and inside & set(item.inputs)]
    before = f"after {short(items[above[0]])}" if above else "first"
    return f"{before}, before {short(items[below[0]])}" if below else f"{before}, last"


def _repeated(part: Part, other: Side, matching: Matching, *, first: bool) -> Change | None:
    """Blocks that both networks have, but not equally often."""
    items, places = part.side.items, part.places
    if len(places) < 3 or places[-1] - places[0] != len(places) - 1:
        return None
    start, end = places[0], places[-1] + 1
    known = matching.there if first else matching.back
    tokens = [item.token for item in items]
    period = _period(tokens[start:end])
    block = tokens[start : start + period]
    beside = range(max(0, start - period), start), range(end, min(end + period, len(items)))
    if not any(
        [tokens[n] for n in near] == block and all(n in known for n in near) for near in beside
    ):
        return None
    unit = items[start : start + period]
    join = next((item for item in reversed(unit) if item.role in JOINS), unit[-1])
    counts = [_count(side.items, join) for side in (part.side, other)]
    size = "×".join(map(str, join.shape[2:]))
    a, b = counts if first else reversed(counts)
    cost = part.cost
    return Change(
        what=f"blocks at {size}" if size else "blocks",
        a=str(a),
        b=str(b),
        places=((part.path, ""),) if first else (("", part.path),),
        effect=_difference(cost, Effect()) if first else cost,
        operations=len(places),
        at=part.at,
        note=listed([item for item in unit if item.get("width") is not None]),
    )


def _period(tokens: Sequence[int]) -> int:
    """After how many items a sequence repeats itself."""
    count = len(tokens)
    return next(
        p for p in range(1, count + 1) if count % p == 0 and tokens[p:] == tokens[: count - p]
    )


def _count(items: Sequence[Item], like: Item) -> int:
    return sum(item.token == like.token and item.shape[2:] == like.shape[2:] for item in items)
