"""Questions to a network: built-in ones are answered from the atlas, without torch."""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convatlas import atlas
from convatlas.analysis.cost import CONVENTION, Cost, cost
from convatlas.analysis.layers import Row, rows
from convatlas.analysis.picture import inputs_for, parse_shape
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape, shown
from convatlas.tables import Table, render

if TYPE_CHECKING:
    from torch import nn

    Network = str | Graph | nn.Module
else:
    Network = object


@dataclass(frozen=True, slots=True)
class Asked:
    """A network and the input it is asked about, shapes with their batch."""

    graph: Graph
    inputs: tuple[Shape, ...]


def ask(
    network: Network,
    sizes: str | Sequence[str] = (),
    *,
    batch: int = 1,
    training: bool = False,
) -> Asked:
    """A network by name, by ``package.module:factory``, as a module of torch or as a graph.

    ``sizes``: ``3x224x224`` or ``224`` for each input; a name or graph has its own as default.
    """
    texts = (sizes,) if isinstance(sizes, str) else tuple(sizes)
    if batch < 1:
        raise UserError(f"the batch is 1 or more, given {batch}")
    if isinstance(network, str) and ":" not in network:
        network = atlas.graph(network, training=training)
    if isinstance(network, Graph):
        return Asked(network, inputs_for(network, texts, batch))
    label, module = _module(network)
    shapes = [(batch, *parse_shape(text)) for text in texts]
    if not shapes or any(len(shape) < 2 for shape in shapes):
        raise UserError(f"{label} does not say what it takes; give its input, like 3x224x224")
    from convatlas.capture.capture import capture  # imports torch

    graph = capture(module, shapes, training=training, name=label)
    return Asked(graph, graph.inputs)


def _module(network: Any) -> tuple[str, Any]:
    """The module itself, or what a factory named as ``package.module:factory`` makes."""
    from torch import nn

    made, label = network, type(network).__name__
    if isinstance(network, str):
        label = network
        made = _named(network)
        if not isinstance(made, nn.Module) and callable(made):
            made = _made(made, network)
    if not isinstance(made, nn.Module):
        raise UserError(
            f"{label} is no network: expected an nn.Module, or a function that makes one without "
            f"arguments, found {type(made).__name__}"
        )
    return label, made


def _named(place: str) -> Any:
    """What stands at ``package.module:name``; the working directory is searched first."""
    module, _, name = place.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"cannot find {place!r}: {error}; write package.module:function, importable from here"
        ) from error
    finally:
        sys.path.remove(str(Path.cwd()))
    return found


def _made(factory: Callable[[], Any], label: str) -> Any:
    try:
        return factory()
    except TypeError as error:
        raise UserError(f"{label} cannot be called without arguments: {error}") from error


@dataclass(frozen=True, slots=True)
class Shown:
    """A network's table; prints as text, and as HTML in a notebook."""

    cost: Cost
    rows: tuple[Row, ...]
    formulas: bool = False

    @property
    def heading(self) -> str:
        """Which network at which input."""
        inputs = ", ".join(shown(shape[1:]) for shape in self.cost.made.inputs)
        batch = self.cost.made.inputs[0][0]
        mode = ", in training" if self.cost.graph.training else ""
        return f"{self.cost.graph.name}, input {inputs}, batch {batch}{mode}"

    @property
    def table(self) -> Table:
        """The rows and the totals below them."""
        return layer_table(self)

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


def show(
    network: Network,
    sizes: str | Sequence[str] = (),
    *,
    batch: int = 1,
    training: bool = False,
    depth: int | None = None,
    fold: bool = True,
    formulas: bool = False,
) -> Shown:
    """Every layer with its output, parameters, MACs, memory and receptive field.

    ``depth``: modules so many levels down as one row; ``fold``: repeated blocks once, with their
    number; ``formulas``: how the figures come about. Raises `UserError`.
    """
    asked = ask(network, sizes, batch=batch, training=training)
    found = cost(asked.graph, asked.inputs)
    return Shown(found, rows(found.lines, depth=depth, fold=fold), formulas)


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
    import json

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
