"""Two sequences of items laid side by side at the least cost.

A pair that differs in some settings costs a little for each, one that keeps only its role costs
more, and an item without a counterpart costs about 1: a little more for the first of several in a
row, so that they stay together. The table is filled along a band around the diagonal that is
widened until no path outside it can be cheaper.
"""

from collections.abc import Callable, Sequence

from convatlas.analysis.meaning.item import Item
from convatlas.analysis.meaning.roles import Value

Pair = tuple[int, int]
APART = 3.0  # a pair that is never made: two items without counterpart are cheaper
WEIGHTS = {"kernel": 0.25, "width": 0.15, "stride": 0.15}
BAND = 16
SLACK = 1e-9
OPEN, GO_ON = 1.1, 0.9  # the first item without counterpart, and each further one behind it
# How hard it is to leave an item without counterpart, where not 1: layers with weights hold the
# place, and a normalisation is said to move rather than an activation.
HOLD = {"convolution": 1.3, "dense layer": 1.3, "normalisation": 0.95}
LEAST = 0.8  # not more than any gap's cost


def differing(a: Item, b: Item) -> tuple[tuple[str, Value, Value], ...]:
    """The settings in which two items of one role differ; of different kinds only the kind."""
    if a.token == b.token:
        return ()
    ours, theirs = dict(a.settings), dict(b.settings)
    names = ("kind",) if ours.get("kind") != theirs.get("kind") else tuple(ours | theirs)
    if a.role == "layout" and a.shape != b.shape:
        names = ("order",)
    return tuple(
        (name, ours.get(name), theirs.get(name))
        for name in names
        if ours.get(name) != theirs.get(name)
    )


def cost(a: Item, b: Item) -> float:
    """How unlike two items are: 0 to 1, or `APART`."""
    if a.role != b.role:
        return APART
    apart = 0.0 if a.shape == b.shape else 0.05
    if a.token == b.token:
        return apart
    for name, _, _ in differing(a, b):
        apart += 0.8 if name == "kind" else WEIGHTS.get(name, 0.1)
    return min(apart, 0.95)


def align(a: Sequence[Item], b: Sequence[Item]) -> tuple[Pair, ...]:
    """Positions that belong together, in order."""
    start = 0
    shorter = min(len(a), len(b))
    while start < shorter and _equal(a[start], b[start]):
        start += 1
    end = 0
    while end < shorter - start and _equal(a[-1 - end], b[-1 - end]):
        end += 1
    inner = _banded(a[start : len(a) - end], b[start : len(b) - end])
    head = ((n, n) for n in range(start))
    tail = ((len(a) - n, len(b) - n) for n in range(end, 0, -1))
    return (*head, *((start + i, start + j) for i, j in inner), *tail)


def _equal(a: Item, b: Item) -> bool:
    return a.token == b.token and a.shape == b.shape


def _banded(a: Sequence[Item], b: Sequence[Item]) -> tuple[Pair, ...]:
    """The cheapest pairs of what is left when equal ends are off."""
    if not a or not b:
        return ()
    price = _prices(a, b)
    apart = abs(len(a) - len(b))
    lonely = [HOLD.get(x.role, 1.0) for x in a], [HOLD.get(x.role, 1.0) for x in b]
    band = BAND
    while True:
        pairs, total = _filled(lonely, price, band)
        # a path that leaves the band has this many items without counterpart
        if total <= LEAST * (apart + 2 * band) or band >= max(len(a), len(b)):
            return pairs
        band *= 4


def _prices(a: Sequence[Item], b: Sequence[Item]) -> Callable[[int, int], float]:
    """Costs by position; equal pairs of items are priced once."""
    kinds: dict[tuple[object, ...], int] = {}
    ours = [kinds.setdefault((x.token, x.shape), len(kinds)) for x in a]
    theirs = [kinds.setdefault((x.token, x.shape), len(kinds)) for x in b]
    known: dict[int, float] = {}
    count = len(kinds)

    def price(i: int, j: int) -> float:
        key = ours[i] * count + theirs[j]
        found = known.get(key)
        if found is None:
            found = known[key] = cost(a[i], b[j])
        return found

    return price


def _filled(
    lonely: tuple[list[float], list[float]], price: Callable[[int, int], float], band: int
) -> tuple[tuple[Pair, ...], float]:
    """The pairs of the cheapest path inside a band, and its cost."""
    ours, theirs = lonely
    height, width = len(ours), len(theirs)
    low = min(0, width - height) - band
    high = max(0, width - height) + band
    never = float("inf")
    above = [GO_ON * sum(theirs[:j]) if j <= high else never for j in range(width + 1)]
    steps = [bytearray([2] * (width + 1))]  # 0: pair, 1: only in a, 2: only in b
    for i in range(1, height + 1):
        first, last = max(1, i + low), min(width, i + high)
        row = [never] * (width + 1)
        row[0] = GO_ON * sum(ours[:i]) if i + low <= 0 else never
        mine = ours[i - 1]
        on, fresh = GO_ON * mine, OPEN * mine
        before, step = steps[-1], bytearray(width + 1)
        step[0] = 1
        left = row[first - 1]
        way = step[first - 1]
        for j in range(first, last + 1):
            best = above[j - 1] + price(i - 1, j - 1)
            up = above[j] + (on if before[j] == 1 else fresh)
            went = way == 2
            left += (GO_ON if went else OPEN) * theirs[j - 1]
            way = 0
            # of equal paths the one that goes on with a gap, so that gaps stay whole
            if up < best - SLACK or (before[j] == 1 and up <= best + SLACK):
                best, way = up, 1
            if left < best - SLACK or (way == 0 and went and left <= best + SLACK):
                best, way = left, 2
            step[j] = way
            row[j] = left = best
        steps.append(step)
        above = row
    return _path(height, width, steps), above[width]


def _path(height: int, width: int, steps: list[bytearray]) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    i, j = height, width
    while i and j:
        way = steps[i][j]
        if way == 0:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif way == 1:
            i -= 1
        else:
            j -= 1
    return tuple(reversed(pairs))
