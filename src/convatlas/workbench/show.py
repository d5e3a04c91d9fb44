"""The table of a network: every layer with its sizes, parameters, work and field."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from convatlas.analysis.cost import CONVENTION, Cost, cost
from convatlas.analysis.layers import Row, rows
from convatlas.analysis.stages import stages
from convatlas.graph.operation import shown
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, ask


@dataclass(frozen=True, slots=True)
class Shown:
    """A network's table; prints as text, and as HTML in a notebook."""

    cost: Cost
    rows: tuple[Row, ...]
    formulas: bool = False
    by_stage: bool = False

    @property
    def heading(self) -> str:
        """Which network at which input."""
        inputs = ", ".join(shown(shape[1:]) for shape in self.cost.made.inputs)
        batch = self.cost.made.inputs[0][0]
        mode = ", in training" if self.cost.graph.training else ""
        return f"{self.cost.graph.name}, input {inputs}, batch {batch}{mode}"

    @property
    def table(self) -> Table:
        """The rows and the totals below them, or what each size of map costs."""
        return stage_table(self.cost) if self.by_stage else layer_table(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said beside the numbers."""
        graph = self.cost.graph
        unknown = sorted({getattr(n.operation, "function", "?") for n in graph.unknown})
        unused = ", ".join(parameter.names[0] for parameter in graph.unused)
        return (
            *(f"cost UNKNOWN, not in the totals: {', '.join(unknown)}" for _ in unknown[:1]),
            *(f"parameters that nothing reads: {unused}" for _ in graph.unused[:1]),
            *(f"{graph.frozen:,} parameters are frozen" for _ in range(graph.frozen > 0)),
            *graph.notes,
            f"{CONVENTION} Memory is what each operation allocates.",
        )

    def text(self, form: str | None = None) -> str:
        """The table in a format, see `convatlas.tables.render`; the plain one with heading."""
        if form == "json":
            return shown_json(self)
        body = render(self.table, form)
        return body if form else "\n".join((self.heading, "", body, "", *self.notes))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<p>{self.heading}</p>\n{self.text('html')}"


def show(  # noqa: PLR0913 - one for each option of the command
    network: Network,
    sizes: str | Sequence[str] = (),
    *,
    batch: int = 1,
    training: bool = False,
    depth: int | None = None,
    fold: bool = True,
    formulas: bool = False,
    by_stage: bool = False,
) -> Shown:
    """Every layer with its output, parameters, MACs, memory and receptive field.

    ``depth``: modules so many levels down as one row; ``fold``: repeated blocks once, with their
    number; ``formulas``: how the figures come about; ``by_stage``: one row for each size of map
    instead. Raises `UserError`.
    """
    asked = ask(network, sizes, batch=batch, training=training)
    found = cost(asked.graph, asked.inputs)
    return Shown(found, rows(found.lines, depth=depth, fold=fold), formulas, by_stage)


def stage_table(found: Cost) -> Table:
    """What each size of map costs, with its shares."""
    columns = ("map", "channels", "operations", "parameters", "MACs", "bytes")
    rows = [
        (
            *(shown(stage.size) if stage.size else "none", stage.channels, stage.operations),
            *(stage.parameters, stage.macs, stage.bytes),
            *(
                f"{stage.share_parameters:.1%}",
                f"{stage.share_macs:.1%}",
                f"{stage.share_bytes:.1%}",
            ),
        )
        for stage in stages(found.lines)
    ]
    return Table((*columns, "% parameters", "% MACs", "% bytes"), tuple(rows))


def layer_table(shown_network: Shown) -> Table:
    """One row a layer, then the totals; with folded rows a column says how often each occurs."""
    found, formulas = shown_network.cost, shown_network.formulas
    folded = any(row.times > 1 for row in shown_network.rows)
    columns = ("layer", "operation", "output", "parameters", "MACs", "bytes", "field", "jump")
    columns = (*columns[:3], *(("times",) if folded else ()), *columns[3:])
    lines = [_cells(row, folded, formulas) for row in shown_network.rows]
    live = found.live
    total: tuple[str | int | float, ...] = (
        *("total", "", "", *(("",) if folded else ())),
        *(found.parameters, found.macs, live.total, "", ""),
        *(("",) if formulas else ()),
    )
    return Table((*columns, *(("how",) if formulas else ())), (*lines, total))


def _cells(row: Row, folded: bool, formulas: bool) -> tuple[str | int | float, ...]:
    name = "  " * row.indent + row.name
    heading = not row.operation
    figures: tuple[str | int | float, ...] = ("", "", "", "", "")
    if not heading:
        macs = "unknown" if row.macs is None else row.macs
        figures = (row.parameters, macs, row.bytes, row.field, row.jump)
    return (
        *(name, row.operation, shown(row.output[1:]) if row.output else ""),
        *((f"×{row.times}" if row.times > 1 else "",) if folded else ()),
        *figures,
        *((row.formula,) if formulas else ()),
    )


def shown_json(shown_network: Shown) -> str:
    """Everything as one JSON object; the layers as in the table, without formatting."""
    found = shown_network.cost
    graph = found.graph
    layers = [
        {
            "layer": row.name,
            "operation": row.operation,
            "output": list(row.output),
            "times": row.times,
            "parameters": row.parameters,
            "macs": row.macs,
            "work": row.work,
            "bytes": row.bytes,
            "field": row.field,
            "jump": row.jump,
            "how": row.formula,
        }
        for row in shown_network.rows
        if row.operation
    ]
    document = {
        "network": graph.name,
        "inputs": found.made.inputs,
        "training": graph.training,
        "convention": CONVENTION,
        "parameters": found.parameters,
        "frozen": graph.frozen,
        "buffers": graph.buffered,
        "macs": found.macs,
        "work": found.made.work,
        "weight_bytes": found.weight_bytes,
        "activation_bytes": found.live.total,
        "peak_activation_bytes": found.live.peak,
        "notes": shown_network.notes[:-1],
        "layers": layers,
    }
    return json.dumps(document, indent=1, ensure_ascii=False)
