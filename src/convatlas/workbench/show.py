"""The table of a network: every layer with its sizes, parameters, work and field."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from convatlas.analysis.cost import CONVENTION, Cost, cost
from convatlas.analysis.layers import Row, rows
from convatlas.analysis.memory import TrainingMemory, training_memory
from convatlas.errors import UserError
from convatlas.graph.operation import shown
from convatlas.graph.propagate import DoesNotFit
from convatlas.tables import Table, render
from convatlas.workbench.ask import Asked, Network, Sizes, ask, in_training
from convatlas.workbench.broken import BrokenOff
from convatlas.workbench.memory import memory_lines


@dataclass(frozen=True, slots=True)
class Shown:
    """A network's table; prints as text, and as HTML in a notebook."""

    cost: Cost
    rows: tuple[Row, ...]
    step: TrainingMemory | str  # of training; or why it cannot be told
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
    def memory(self) -> tuple[str, ...]:
        """Weights, activations and a step of training, a line each."""
        return tuple(memory_lines(self.cost, self.step))

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
        if form:
            return body
        return "\n".join((self.heading, "", body, "", *self.memory, "", *self.notes))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        below = "<br>\n".join(map(escape, (*self.memory, *self.notes)))
        return f"<p>{escape(self.heading)}</p>\n{self.text('html')}\n<p>{below}</p>"


def show(  # noqa: PLR0913 - one for each option of the command
    network: Network,
    sizes: Sizes = (),
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
    instead. Raises `UserError`, and `BrokenOff` with what is known if the network fails in the
    middle of its input.
    """
    try:
        asked = ask(network, sizes, batch=batch, training=training)
    except UserError as error:
        from convatlas.workbench.way_out import in_module  # not needed where all is well

        raise in_module(network, sizes, error, batch=batch, training=training) from error
    try:
        found = cost(asked.graph, asked.inputs)
    except DoesNotFit as error:
        from convatlas.workbench.way_out import in_atlas

        raise in_atlas(asked.graph, error) from error
    parts = rows(found.lines, depth=depth, fold=fold)
    return Shown(found, parts, _step(network, asked), formulas, by_stage)


def show_broken(error: BrokenOff, form: str | None = None, *, formulas: bool = False) -> str:
    """The table up to where a network fails; as JSON with the ``error``, else without it."""
    made = error.made
    partial = Shown(made, rows(made.lines, fold=False), "", formulas)
    if form == "json":
        layers = _layers(partial.rows)
        document = {"network": made.graph.name, "inputs": made.made.inputs, "error": str(error)}
        return json.dumps({**document, "layers": layers}, indent=1, ensure_ascii=False)
    table = layer_table(partial)
    body = render(Table(table.columns, table.rows[:-1]), form)
    return body if form else f"{partial.heading}\n\n{body}"


def _step(network: Network, asked: Asked) -> TrainingMemory | str:
    """A step of training at the same input, or why it is not to be had."""
    try:
        return training_memory(in_training(network, asked), asked.inputs)
    except UserError as error:
        return f"fails at this input: {error}"


def stage_table(found: Cost) -> Table:
    """What each size of map costs, with its shares."""
    from convatlas.analysis.stages import stages  # not needed for the usual table

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
    found, step = shown_network.cost, shown_network.step
    graph = found.graph
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
        "training_bytes": None if isinstance(step, str) else step.peak,
        "training_peak_at": None if isinstance(step, str) else step.path,
        "notes": shown_network.notes[:-1],
        "layers": _layers(shown_network.rows),
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _layers(parts: Sequence[Row]) -> list[dict[str, object]]:
    return [
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
        for row in parts
        if row.operation
    ]
