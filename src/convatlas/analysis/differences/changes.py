"""Single differences between two networks whose items have been matched."""

from collections.abc import Iterator, Sequence

from convatlas.analysis.differences.align import differing
from convatlas.analysis.differences.difference import Change, Effect
from convatlas.analysis.differences.matching import Matching, wirings
from convatlas.analysis.differences.sides import Side, Sides
from convatlas.analysis.meaning.roles import Value
from convatlas.analysis.meaning.words import full, long, setting, short, shown
from convatlas.graph.operation import shown as shape_shown

GEOMETRY = ("kernel", "padding", "dilation", "rounding")
# Settings that change parameters and multiply-adds; the first that differs is held to account.
OF_PARAMETERS = ("width", "kernel", "groups", "bias", "affine", "kind", "links")
OF_MACS = ("width", "kernel", "stride", "groups", "padding", "dilation", "kind", "links")


def of_networks(sides: Sides) -> Iterator[Change]:
    """What concerns the networks as wholes."""
    a, b = sides
    if a.graph.training != b.graph.training:
        modes = ["training" if side.graph.training else "evaluation" for side in sides]
        yield Change(what="mode", a=modes[0], b=modes[1])
    if a.made.inputs != b.made.inputs:
        given = [", ".join(map(shape_shown, side.made.inputs)) for side in sides]
        yield Change(what="input", a=given[0], b=given[1])
    if len(a.graph.outputs) != len(b.graph.outputs):
        counts = [str(len(side.graph.outputs)) for side in sides]
        yield Change(what="number of outputs", a=counts[0], b=counts[1])
    if a.unread != b.unread:
        yield Change(
            what="parameters that no output needs",
            a=f"{a.unread[0]:,}",
            b=f"{b.unread[0]:,}",
            effect=Effect(b.unread[0] - a.unread[0], b.unread[1] - a.unread[1]),
        )


def of_settings(sides: Sides, matching: Matching) -> Iterator[Change]:
    """Pairs of one role that are set otherwise."""
    a, b = sides
    for i, j in sorted(matching.there.items()):
        one, other = a.items[i], b.items[j]
        if one.token == other.token:
            continue
        parts = _together(differing(one, other))
        names = [name for name, _, _ in parts]
        grown = b.parameters[j] - a.parameters[i], b.macs[j] - a.macs[i]
        accounts = _first(OF_PARAMETERS, names), _first(OF_MACS, names)
        for name, before, after in parts:
            counted = (
                n if name == account else 0 for n, account in zip(grown, accounts, strict=True)
            )
            yield Change(
                what=setting(name, one),
                a=full(one) if name == "kind" else before,
                b=full(other) if name == "kind" else after,
                places=((a.paths[i], b.paths[j]),),
                effect=Effect(*counted),
                at=i,
            )


def _together(parts: Sequence[tuple[str, Value, Value]]) -> list[tuple[str, str, str]]:
    """Settings in words; those of a window that change at once are one change."""
    said = [(name, shown(name, before), shown(name, after)) for name, before, after in parts]
    shape = [part for part in said if part[0] in GEOMETRY]
    if len(shape) < 2:
        return said
    names, before, after = (", ".join(column) for column in zip(*shape, strict=True))
    return [(names, before, after), *(part for part in said if part not in shape)]


def _first(order: tuple[str, ...], names: list[str]) -> str | None:
    each = {part: name for name in names for part in name.split(", ")}
    return next((each[name] for name in order if name in each), None)


def of_wiring(sides: Sides, matching: Matching) -> Iterator[Change]:
    """Pairs that read other things, or the same in another order."""
    a, b = sides
    for wiring in wirings(matching, a.items, b.items):
        i, j = wiring.pair
        reads = wiring.a or a.items[i].inputs, wiring.b or b.items[j].inputs
        whose = short(a.items[i])
        what = f"order of {whose}" if wiring.order else f"what {whose} reads"
        yield Change(
            what=what,
            a=_inputs(a, reads[0]),
            b=_inputs(b, reads[1]),
            places=((a.paths[i], b.paths[j]),),
            at=i,
            plain=(_inputs(a, reads[0], plain=True), _inputs(b, reads[1], plain=True)),
        )


def _inputs(side: Side, places: Sequence[int], *, plain: bool = False) -> str:
    """Operands by what they are and (unless ``plain``) where; many are cut short."""
    said = [
        long(side.items[n], widths=not plain)
        + (f" ({side.paths[n]})" if side.paths[n] and not plain else "")
        for n in places
    ]
    return "; ".join(said[:4]) + (f"; … ({len(said)})" if len(said) > 4 else "")
