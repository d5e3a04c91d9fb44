"""Differences between two networks as tables and sentences."""

from convatlas.analysis.differences.difference import Change, Difference, Effect
from convatlas.tables import Table

COLUMNS = ("place in A", "place in B", "what", "A", "B", "parameters", "MACs", "times")
KINDS = ("operation", "in A", "in B", "parameters A", "parameters B", "MACs A", "MACs B")


def changes_table(difference: Difference) -> Table:
    """One row for each difference, at the first place where it is found."""
    rows = [_row(change) for change in difference.changes]
    follows = difference.follows
    if follows.parameters or follows.macs:
        rows.append(("", "", "what follows elsewhere", "", "", *_signed(follows), ""))
    if len(rows) > 1:
        rows.append(("", "", "in total", "", "", *_signed(difference.effect), ""))
    return Table(COLUMNS, tuple(rows))


def kinds_table(difference: Difference) -> Table:
    """Both networks by kind of operation, for those too unlike to be compared place by place."""
    kinds = sorted(difference.kinds, key=lambda kind: -max(*kind.macs, *kind.parameters))
    rows = ((kind.name, *kind.count, *kind.parameters, *kind.macs) for kind in kinds)
    return Table(KINDS, tuple(rows))


def table(difference: Difference) -> Table:
    """Row by row for networks that are related, by kind of operation for others."""
    return changes_table(difference) if difference.related else kinds_table(difference)


def _row(change: Change) -> tuple[str | int, ...]:
    first = change.places[0] if change.places else ("", "")
    what = f"{change.what} ({change.note})" if change.note else change.what
    return (*first, what, change.a or "–", change.b or "–", *_signed(change.effect), change.times)


def _signed(effect: Effect) -> tuple[str, str]:
    """How much more, with its sign; nothing is a dash."""
    numbers = (effect.parameters, effect.macs)
    more, macs = (f"{n:+,}".replace("-", "−") if n else "–" for n in numbers)
    return more, macs
