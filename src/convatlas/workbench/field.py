"""The receptive field of a network, layer by layer, and how much of it is really read."""

import json
from dataclasses import dataclass
from html import escape

from convatlas.analysis.cost import Cost, Line, cost
from convatlas.analysis.describe import describe
from convatlas.errors import UserError
from convatlas.graph.field_axes import Axis, Field
from convatlas.graph.operation import Shape, elements, shown
from convatlas.graph.pixels import Pixels
from convatlas.graph.reads import Coverage, coverage, reads
from convatlas.nearest import closest
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask


@dataclass(frozen=True, slots=True)
class Sight:
    """What each layer sees; ``node`` is the one whose coverage is told, ``pixels`` what is read."""

    cost: Cost
    node: int
    coverage: Coverage
    pixels: Pixels  # of the whole picture, by all positions of the node, borders clipped

    @property
    def table(self) -> Table:
        """One row for each layer that changes the field."""
        columns = ("layer", "operation", "size", "jump", "start", "narrowest way")
        return Table(columns, tuple(map(_row, changing(self.cost))))

    def text(self, form: str | None = None) -> str:
        """The table in a format, and without one what the last layer covers."""
        if form == "json":
            return json.dumps(self._document(), indent=1, ensure_ascii=False)
        body = render(self.table, form)
        return body if form else "\n".join((self.heading, "", body, "", *self.notes))

    @property
    def heading(self) -> str:
        """Which network at which picture."""
        return f"{self.cost.graph.name}, input {shown(self._picture)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the chosen layer reads: one of its positions, and all of them."""
        node = self.cost.graph.nodes[self.node]
        height, width = self.coverage.size
        unread = elements(self._picture) - self.pixels.number
        return (
            f"a position of {node.path or describe(node.operation)} sees {height}×{width}, and "
            f"reads {self.coverage.read:,} of these {height * width:,} pixels "
            f"({self.coverage.share:.1%})",
            f"all its positions together leave {unread:,} pixels of the picture unread",
        )

    @property
    def _picture(self) -> Shape:
        return self.cost.made.measures[self.cost.graph.picture].shape[2:]

    def _document(self) -> dict[str, object]:
        graph = self.cost.graph
        rows = [dict(zip(self.table.columns, row, strict=True)) for row in self.table.rows]
        return {
            "network": graph.name,
            "inputs": self.cost.made.inputs,
            "layers": rows,
            "layer": graph.nodes[self.node].path,
            "size": self.coverage.size,
            "read": self.coverage.read,
            "share": self.coverage.share,
            "pixels_read": self.pixels.number,
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        below = "<br>\n".join(map(escape, self.notes))
        return f"<p>{escape(self.heading)}</p>\n{self.text('html')}\n<p>{below}</p>"


def field(network: Network, sizes: Sizes = (), *, layer: str | None = None) -> Sight:
    """The receptive field of every layer, and the coverage of one: by default the last that has
    positions. Raises `UserError`.
    """
    asked = ask(network, sizes)
    found = cost(asked.graph, asked.inputs)
    node = _chosen(found, layer)
    return Sight(
        found,
        node,
        coverage(asked.graph, found.made, node),
        reads(asked.graph, found.made, node, "all"),
    )


def _chosen(found: Cost, layer: str | None) -> int:
    """The last node with positions: of the network, or of a layer and what is inside it."""
    name, paths = found.graph.name, [line.node.path for line in found.lines]
    inside = [
        index
        for index, path in enumerate(paths)
        if layer is None or path == layer or path.startswith(f"{layer}.")
    ]
    local = [index for index in inside if _local(found.lines[index])]
    if local:
        return local[-1]
    if layer is None:
        raise UserError(f"{name} takes no pictures (N×C×H×W), so it has no field")
    if inside:
        raise UserError(f"{layer} of {name} has no positions any more: it reads the whole picture")
    known = tuple(dict.fromkeys(path for path in paths if path))
    raise UserError(
        f"{name} has no layer {layer!r}{closest(layer, known)}; `convatlas show` has all"
    )


def _local(line: Line) -> bool:
    return line.field is not None and line.field.local and len(line.field.axes) == 2


def changing(found: Cost) -> list[Line]:
    """The lines whose field is another than that of anything they read."""
    fields = [line.field for line in found.lines]
    return [
        line
        for line in found.lines
        if line.field is not None
        and line.field.axes not in [_axes(fields[i]) for i in line.node.inputs[: line.node.data]]
    ]


def _axes(field: Field | None) -> tuple[Axis, ...]:
    return field.axes if field else ()


def _row(line: Line) -> tuple[str, ...]:
    assert line.field is not None
    axes = line.field.axes
    if any(axis.whole for axis in axes):
        size = "all"
        jump = start = ""
    else:
        size = _both([str(axis.size) for axis in axes])
        jump = _both([str(axis.jump) for axis in axes])
        start = _both([_start(axis) for axis in axes])
    least = _both([f"{float(axis.least):g}" for axis in axes])
    return (line.node.path, describe(line.node.operation), size, jump, start, least)


def _start(axis: Axis) -> str:
    return f"{float(axis.start):g}"


def _both(texts: list[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)
