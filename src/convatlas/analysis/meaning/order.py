"""The order of items: by what reads what, not by when it runs."""

from dataclasses import replace

from convatlas.analysis.meaning.item import COMMUTE, Item

NEAR = 8  # items looked at to tell branches of equal depth apart


def in_order(items: list[Item], outputs: list[int], by_depth: bool) -> tuple[Item, ...]:
    """Each item behind what it reads, whatever ran first; what no output needs is left out.

    Of operands that may be exchanged the one that stands deepest in the network comes first.
    """
    depths: list[int] = []
    for item in items:
        depths.append(1 + max((depths[i] for i in item.inputs), default=0))

    def first(place: int) -> tuple[int, ...]:
        return -depths[place], *_near(items, place)

    order: dict[int, int] = {}
    made: list[Item] = []
    waiting: list[tuple[int, bool]] = []
    for output in sorted(outputs, key=first):
        waiting.append((output, False))
        while waiting:
            place, read = waiting.pop()
            if place in order:
                continue
            item = items[place]
            inputs = item.inputs
            if item.role in COMMUTE:
                inputs = tuple(sorted(inputs, key=first))
            if read:
                order[place] = len(made)
                made.append(replace(item, inputs=tuple(order[i] for i in inputs)))
                continue
            waiting.append((place, True))
            branches = by_depth and item.role == "concatenation"
            visits = sorted(inputs, key=first) if branches else inputs
            waiting.extend((i, False) for i in reversed(visits) if i not in order)
    return tuple(made)


def _near(items: list[Item], place: int) -> tuple[int, ...]:
    """What stands right above an item: tells branches apart whatever is further up."""
    tokens = []
    for _ in range(NEAR):
        item = items[place]
        tokens.append(item.token)
        if len(item.inputs) != 1:
            break
        place = item.inputs[0]
    return tuple(tokens)
