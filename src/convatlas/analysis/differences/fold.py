"""Equal differences at many places made one."""

from collections.abc import Iterable
from dataclasses import replace

from convatlas.analysis.differences.difference import Change, Effect


def fold(changes: Iterable[Change]) -> tuple[Change, ...]:
    """One change for all that say the same; blocks that differ in width alone count as the same.

    Widths that all grow by the same factor, and strides that change places, are one change each.
    """
    groups: dict[object, list[Change]] = {}
    for change in changes:
        said = change.plain or (change.a, change.b)
        groups.setdefault((change.what, said, change.note), []).append(change)
    folded = _swapped(_scaled([_one(group) for group in groups.values()]))
    return tuple(sorted(folded, key=lambda change: change.at))


def _one(group: list[Change]) -> Change:
    """Places and effects of changes put together; the first speaks for all."""
    first = group[0]
    places = tuple(place for change in group for place in change.places)
    effect = sum((change.effect for change in group), Effect())
    if first.plain and any((change.a, change.b) != (first.a, first.b) for change in group):
        first = replace(first, a=first.plain[0], b=first.plain[1])
    return replace(
        first,
        places=places,
        effect=effect,
        operations=sum(change.operations for change in group),
    )


def _scaled(changes: list[Change]) -> list[Change]:
    """Numbers of one setting that change by the same factor: 64 to 128 and 128 to 256."""
    groups: dict[object, list[Change]] = {}
    for change in changes:
        groups.setdefault(_factor(change) or id(change), []).append(change)
    made = []
    for group in groups.values():
        one = _one(group)
        if len(group) > 1:
            one = replace(one, a=_some([c.a for c in group]), b=_some([c.b for c in group]))
        made.append(one)
    return made


def _factor(change: Change) -> tuple[str, float] | None:
    if not change.what.startswith("width") or not (change.a + change.b).isdigit():
        return None
    return change.what, int(change.b) / int(change.a)


def _some(values: list[str]) -> str:
    return ", ".join(values) if len(values) <= 4 else f"{values[0]}, {values[1]} … {values[-1]}"


def _swapped(changes: list[Change]) -> list[Change]:
    """A stride that stands on another convolution of the same block."""
    made: list[Change] = []
    for change in changes:
        other = next((c for c in made if _answers(c, change)), None)
        if other is None:
            made.append(change)
            continue
        strided, late = (other, change) if change.a == "1" else (change, other)
        made[made.index(other)] = Change(
            what=f"place of stride {strided.a}",
            a=strided.what.removeprefix("stride of "),
            b=late.what.removeprefix("stride of "),
            places=strided.places,
            effect=other.effect + change.effect,
            operations=other.operations + change.operations,
            at=other.at,
        )
    return made


def _answers(one: Change, other: Change) -> bool:
    both = one.what.startswith("stride of ") and other.what.startswith("stride of ")
    swapped = (one.a, one.b) == (other.b, other.a) and one.what != other.what
    return both and swapped and "1" in (one.a, one.b) and one.times == other.times
