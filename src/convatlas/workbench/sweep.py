"""A network over input sizes and batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from convatlas.analysis.legal import Legal, legal, takes
from convatlas.analysis.sweep import Point
from convatlas.analysis.sweep import sweep as points
from convatlas.graph.graph import Graph
from convatlas.graph.operation import shown
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask, in_training


@dataclass(frozen=True, slots=True)
class Swept:
    """The points, and which sides the network takes at all."""

    graph: Graph
    legal: Legal
    points: tuple[Point, ...]

    @property
    def table(self) -> Table:
        """One row a point; what is not taken says why."""
        columns = ("side", "batch", "MACs", "bytes made", "bytes at once", "bytes to train")
        return Table(
            (*columns, "last map", "output", "not taken because"), tuple(map(_row, self.points))
        )

    def text(self, form: str | None = None) -> str:
        """The table in a format, see `convatlas.tables.render`."""
        body = render(self.table, form)
        return body if form else f"{body}\n\n{takes(self.graph, self.legal)}"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"{self.text('html')}\n<p>{escape(takes(self.graph, self.legal))}</p>"


def sweep(
    network: Network,
    sides: Sequence[int],
    batches: Sequence[int] = (1,),
    *,
    sizes: Sizes = (),
    training: bool = False,
) -> Swept:
    """Square pictures of every side, in every batch; ``sizes`` is needed for a module only."""
    asked = ask(network, sizes, training=training)
    trained = in_training(network, asked)
    found = points(asked.graph, sides, batches, trained=trained)
    return Swept(asked.graph, legal(asked.graph), tuple(found))


def _row(point: Point) -> tuple[str | int, ...]:
    if point.fails:
        return (point.side, point.batch, *("",) * 6, point.fails)
    return (
        *(point.side, point.batch, point.macs, point.activations, point.peak),
        "" if point.training is None else point.training,
        *(shown(point.map) if point.map else "", shown(point.output), ""),
    )
