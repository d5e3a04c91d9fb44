"""A network over input sizes and batches."""

from collections.abc import Sequence
from dataclasses import dataclass

from convatlas.analysis.legal import Legal, legal, takes
from convatlas.analysis.sweep import Point
from convatlas.analysis.sweep import sweep as points
from convatlas.graph.graph import Graph
from convatlas.graph.operation import shown
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, ask


@dataclass(frozen=True, slots=True)
class Swept:
    """The points, and which sides the network takes at all."""

    graph: Graph
    legal: Legal
    points: tuple[Point, ...]

    @property
    def table(self) -> Table:
        """One row a point; what is not taken says why."""
        columns = ("side", "batch", "MACs", "bytes made", "bytes at once", "last map", "output")
        return Table((*columns, "not taken because"), tuple(map(_row, self.points)))

    def text(self, form: str | None = None) -> str:
        """The table in a format, see `convatlas.tables.render`."""
        body = render(self.table, form)
        return body if form else f"{body}\n\n{takes(self.graph, self.legal)}"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.text("html")


def sweep(
    network: Network,
    sides: Sequence[int],
    batches: Sequence[int] = (1,),
    *,
    sizes: str | Sequence[str] = (),
    training: bool = False,
) -> Swept:
    """Square pictures of every side, in every batch; ``sizes`` is needed for a module only."""
    graph = ask(network, sizes, training=training).graph
    return Swept(graph, legal(graph), tuple(points(graph, sides, batches)))


def _row(point: Point) -> tuple[str | int, ...]:
    if point.fails:
        return (point.side, point.batch, "", "", "", "", "", point.fails)
    return (
        *(point.side, point.batch, point.macs, point.activations, point.peak),
        *(shown(point.map) if point.map else "", shown(point.output), ""),
    )
