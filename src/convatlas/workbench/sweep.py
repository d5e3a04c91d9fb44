"""A network over input sizes and batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from convatlas.analysis.legal import Legal, legal, square, takes
from convatlas.analysis.sweep import Point
from convatlas.analysis.sweep import sweep as points
from convatlas.graph.graph import Graph
from convatlas.graph.operation import shown
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask, in_training, module_of


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
    """Square pictures of every side, in every batch; ``sizes`` is needed for a module only.

    A module is captured at each of them, so that its code may do at one size what it does not at
    another; which sides it takes besides is told from its graph at ``sizes``.
    """
    asked = ask(network, sizes, training=training)
    module = module_of(network)

    def of_graph(_side: int, _batch: int) -> tuple[Graph, Graph]:
        return asked.graph, trained

    def of_module(side: int, batch: int) -> tuple[Graph, Graph]:
        shapes = square(asked.graph, side, batch)
        texts = ["x".join(map(str, shape[1:])) for shape in shapes]
        again = ask(module or network, texts, batch=batch, training=training)
        return again.graph, in_training(module or network, again)

    trained = asked.graph if module else in_training(network, asked)
    found = points(of_module if module else of_graph, sides, batches)
    return Swept(asked.graph, legal(asked.graph), tuple(found))


def _row(point: Point) -> tuple[str | int, ...]:
    if point.fails:
        return (point.side, point.batch, *("",) * 6, point.fails)
    return (
        *(point.side, point.batch, point.macs, point.activations, point.peak),
        "" if point.training is None else point.training,
        *(shown(point.map) if point.map else "", shown(point.output), ""),
    )
