"""Which items of two graphs belong together, and how what they read compares."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convatlas.analysis.differences.align import align
from convatlas.analysis.meaning.item import COMMUTE, Item

Items = Sequence[Item]
Paths = Sequence[str]


@dataclass(frozen=True, slots=True)
class Run:
    """Items without counterpart, one behind the other, of either network or of both there."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    at: int  # where in the first network


@dataclass(frozen=True)
class Matching:
    """Pairs in the first network's order, as a mapping in both directions."""

    there: dict[int, int]
    back: dict[int, int]
    sequence: tuple[tuple[int, int], ...]  # those found side by side, in order of both


def match(a: Items, b: Items, paths: tuple[Paths, Paths]) -> Matching:
    """Items side by side, then those left over that read the same and do the same."""
    pairs = list(align(a, b))
    pairs = _slid(pairs, a, b, paths)
    _exchanged(pairs, a, b)
    there = dict(pairs)
    back = {y: x for x, y in pairs}
    waiting: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for y, item in enumerate(b):
        if y not in back:
            waiting[(item.token, item.shape, len(item.inputs))].append(y)
    for x, item in enumerate(a):
        if x in there or not all(i in there for i in item.inputs):
            continue
        reads = _read(item, [there[i] for i in item.inputs])
        for y in waiting[(item.token, item.shape, len(item.inputs))]:
            if y not in back and _read(b[y], b[y].inputs) == reads:
                there[x], back[y] = y, x
                break
    return Matching(there, back, tuple(pairs))


def _exchanged(pairs: list[tuple[int, int]], a: Items, b: Items) -> None:
    """Beside a pair that reads other things may stand an equal item that reads the same."""
    there = dict(pairs)
    back = {y: x for x, y in pairs}
    ends = [(-1, -1), *pairs, (len(a), len(b))]
    for n, (x, y) in enumerate(pairs):
        if _reads_alike(a[x], b[y], there):
            continue
        (low_x, low_y), (high_x, high_y) = ends[n], ends[n + 2]
        firsts = [(i, y) for i in range(low_x + 1, high_x) if i not in there]
        seconds = [(x, j) for j in range(low_y + 1, high_y) if j not in back]
        for i, j in (*firsts, *seconds):
            if _equal(a[i], b[j]) and _reads_alike(a[i], b[j], there):
                del there[x], back[y]
                there[i], back[j] = j, i
                pairs[n] = ends[n + 1] = i, j
                break


def _equal(one: Item, other: Item) -> bool:
    return one.token == other.token and one.shape == other.shape


def _reads_alike(one: Item, other: Item, there: dict[int, int]) -> bool:
    inputs = [there.get(i, -1) for i in one.inputs]
    return _read(one, inputs) == _read(other, other.inputs)


def _read(item: Item, inputs: Sequence[int]) -> list[int]:
    return sorted(inputs) if item.role in COMMUTE else list(inputs)


def _slid(
    pairs: list[tuple[int, int]], a: Items, b: Items, paths: tuple[Paths, Paths]
) -> list[tuple[int, int]]:
    """Gaps that could as well stand a few items earlier or later put on a module's bounds."""
    for side, items in ((0, a), (1, b)):
        for n in range(len(pairs) - 1):
            here, after = pairs[n], pairs[n + 1]
            length = after[side] - here[side] - 1
            if length < 1 or after[1 - side] - here[1 - side] != 1:
                continue
            shift = _best_shift(pairs, n, side, items, paths[side])
            for k in range(shift):
                x, y = pairs[n - k]
                pairs[n - k] = (x + length, y) if side == 0 else (x, y + length)
    return pairs


def _best_shift(pairs: list[tuple[int, int]], n: int, side: int, items: Items, paths: Paths) -> int:
    """How many items earlier the gap behind pair ``n`` should begin."""
    start, end = pairs[n][side] + 1, pairs[n + 1][side]
    best, found, shift = _spread(paths[start:end]), 0, 0
    while shift <= n and shift < end - start:
        place = start - shift - 1
        joined = pairs[n - shift][side] == place  # no other gap in between
        other = place + end - start
        if not joined or not _equal(items[place], items[other]):
            break
        shift += 1
        spread = _spread(paths[start - shift : end - shift])
        if spread < best:
            best, found = spread, shift
    return found


def _spread(paths: Paths) -> int:
    """Over how many modules some items are spread, at every depth."""
    parts = [tuple(path.split(".")) for path in set(paths)]
    return sum(len({path[:depth] for path in parts}) for depth in range(1, 5))


def runs(matching: Matching, a: Items, b: Items) -> Iterator[Run]:
    """What has no counterpart, by the gaps of the sequence."""
    ends = [*matching.sequence, (len(a), len(b))]
    x = y = 0
    for next_x, next_y in ends:
        left = tuple(i for i in range(x, next_x) if i not in matching.there)
        right = tuple(j for j in range(y, next_y) if j not in matching.back)
        if left or right:
            yield Run(left, right, x)
        x, y = next_x + 1, next_y + 1


@dataclass(frozen=True, slots=True)
class Wiring:
    """A pair that reads other things, or the same in another order."""

    pair: tuple[int, int]
    a: tuple[int, ...]  # items of a that only the first reads (or all, in its order)
    b: tuple[int, ...]
    order: bool


def wirings(matching: Matching, a: Items, b: Items) -> Iterator[Wiring]:
    """Pairs whose inputs do not correspond, unless items without counterpart stand between."""
    over_a = _Through(a, matching.there)
    over_b = _Through(b, matching.back)
    for x, y in sorted(matching.there.items()):
        mine = [matching.there[i] for i in a[x].inputs if i in matching.there]
        theirs = [j for j in b[y].inputs if j in matching.back]
        if mine == theirs:
            continue
        near_a = {matching.there[i] for i in over_a.anchors(x)}
        near_b = set(over_b.anchors(y))
        gone = tuple(matching.back[j] for j in mine if j not in theirs and j not in near_b)
        new = tuple(j for j in theirs if j not in mine and j not in near_a)
        if gone or new:
            yield Wiring((x, y), gone, new, False)
        elif a[x].role not in COMMUTE:
            common = [j for j in mine if j in theirs]
            if common != [j for j in theirs if j in mine]:
                yield Wiring((x, y), a[x].inputs, b[y].inputs, True)


class _Through:
    """What items read by way of items that have no counterpart."""

    def __init__(self, items: Items, matched: dict[int, int]) -> None:
        self.items, self.matched = items, matched
        self.known: dict[int, frozenset[int]] = {}
        for place, item in enumerate(items):
            if place not in matched:
                near = (self.known.get(i, frozenset({i})) for i in item.inputs)
                self.known[place] = frozenset().union(*near)

    def anchors(self, place: int) -> frozenset[int]:
        """Items with counterpart that are read through such without."""
        inputs = (i for i in self.items[place].inputs if i not in self.matched)
        return frozenset().union(*(self.known[i] for i in inputs))
