"""What differs between two networks by meaning, as sentences and tables."""

import json
from dataclasses import asdict, dataclass

from convatlas.analysis.diff import diff as compared
from convatlas.analysis.differences.difference import Change, Difference, Effect
from convatlas.graph.field import fields
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import Propagation, propagate
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask

COLUMNS = ("place in A", "place in B", "what", "A", "B", "parameters", "MACs", "times")
KINDS = ("operation", "in A", "in B", "parameters A", "parameters B", "MACs A", "MACs B")


@dataclass(frozen=True, slots=True)
class Diffed:
    """The differences, and the receptive field in both networks where each of them is."""

    difference: Difference
    fields: tuple[tuple[int | None, int | None], ...]

    @property
    def table(self) -> Table:
        """Row by row for networks that are related, by kind of operation for others."""
        if not self.difference.related:
            return kinds_table(self.difference)
        plain = changes_table(self.difference)
        seen = [_grown(pair) for pair in self.fields]
        seen += [""] * (len(plain.rows) - len(seen))
        if len(plain.rows) > len(self.difference.changes):
            grown = self.difference.effect.field
            seen[-1] = "" if grown is None else f"{grown:+}".replace("-", "−") if grown else "–"
        rows = ((*row[:-1], field, row[-1]) for row, field in zip(plain.rows, seen, strict=True))
        return Table((*plain.columns[:-1], "field", plain.columns[-1]), tuple(rows))

    def text(self, form: str | None = None) -> str:
        """A verdict and the table, or the table in a format."""
        if form == "json":
            document = {"verdict": self.difference.verdict, **asdict(self.difference)}
            return json.dumps(document, indent=1, ensure_ascii=False)
        body = render(self.table, form)
        if form:
            return body
        found = self.difference
        heading = f"A {found.a}, B {found.b}: {found.verdict}"
        grown = found.effect.field
        sight = f"\n\nreceptive field of the whole network: {grown:+}" if grown else ""
        return heading if found.same else f"{heading}\n\n{body}{sight.replace('-', '−')}"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<p>{self.difference.verdict}</p>\n{self.text('html')}"


def diff(
    a: Network,
    b: Network,
    sizes: Sizes = (),
    *,
    training: bool = False,
) -> Diffed:
    """Two networks at the same input, by default the first one's; raises `UserError`."""
    first = ask(a, sizes, training=training)
    other = ask(b, sizes or _texts(first.inputs), training=training)
    found = compared(first.graph, other.graph, inputs=first.inputs, field=field_of)
    sides = [_by_path(graph) for graph in (first.graph, other.graph)]
    places = (change.places[0] if change.places else ("", "") for change in found.changes)
    seen = tuple((sides[0].get(one), sides[1].get(two)) for one, two in places)
    return Diffed(found, seen)


def field_of(graph: Graph, made: Propagation) -> int | None:
    """The side of the largest field of a position."""
    sizes = [max(f.size) for f in fields(graph, made) if f is not None and f.local and f.axes]
    return max(sizes, default=None)


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


def _row(change: Change) -> tuple[str | int, ...]:
    first = change.places[0] if change.places else ("", "")
    what = f"{change.what} ({change.note})" if change.note else change.what
    return (*first, what, change.a or "–", change.b or "–", *_signed(change.effect), change.times)


def _signed(effect: Effect) -> tuple[str, str]:
    """How much more, with its sign; nothing is a dash."""
    numbers = (effect.parameters, effect.macs)
    more, macs = (f"{n:+,}".replace("-", "−") if n else "–" for n in numbers)
    return more, macs


def _by_path(graph: Graph) -> dict[str, int]:
    """The field where each module ends, at the size the graph was captured with."""
    made = propagate(graph)
    return {
        node.path: max(field.size)
        for node, field in zip(graph.nodes, fields(graph, made), strict=True)
        if node.path and field is not None and field.local and field.axes
    }


def _grown(pair: tuple[int | None, int | None]) -> str:
    """``435 → 427``; one number if both see alike, nothing where one sees no positions."""
    one, other = pair
    if one is None or other is None:
        return ""
    return str(one) if one == other else f"{one} → {other}"


def _texts(inputs: tuple[Shape, ...]) -> tuple[str, ...]:
    return tuple("x".join(map(str, shape[1:])) for shape in inputs)
