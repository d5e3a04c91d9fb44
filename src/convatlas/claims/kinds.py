"""Measures as a ledger writes them: a table with one key that names the kind.

{ parameters = "googlenet", without = "auxiliary_*" }      trained numbers
{ weights = "vgg16", at = "dense" }                        without biases and norms
{ macs = "vgg16", at = "convolutional" }                   multiply-adds
{ connections = "lenet5", at = "c1" }                      as LeCun et al. 1998 count them
{ layers = "unet", kinds = ["Conv"] }                      how many operations
{ children = "resnet50", at = "stage1" }                   how many modules within one
{ depth = "googlenet", pools = true }                      layers on the longest way
{ output = "lenet5", at = "c1" }                           shape; widths, sides, units: parts
{ sight = "vgg16", at = "convolutional.row1" }             receptive field
{ settings = "alexnet", at = "…pool1", names = ["kernel"] }  attributes of an operation
{ kernels = "alexnet", at = ["…conv1", "…conv2"] }         shapes of weights
{ functions = "lenet5" }                                   non-linearities
{ convolve = "weights", c_in = 3, c_out = 4, kernel = 3 }  one layer of no network
{ connect = "parameters", inputs = 300, outputs = 3000 }   a dense one
{ stack = "3 3 3", ask = "field" }                         several
{ spread = 3, size = 2 }                                   a transposed convolution
{ each = […] }  { sum = […] }  { difference = [a, b] }  { ratio = [a, b] }
{ expression = "100 * (a - b) / b", a = {…}, b = {…} }
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from convatlas.claims import combined, of_arithmetic, of_graph, of_output
from convatlas.claims.measure import Measure
from convatlas.claims.select import Selection
from convatlas.errors import UserError

Table = Mapping[str, Any]

SIMPLE: dict[str, tuple[type[Any], str]] = {  # kind: the class, the field that stands at it
    "parameters": (of_graph.Parameters, "network"),
    "weights": (of_graph.Weights, "network"),
    "macs": (of_graph.Macs, "network"),
    "connections": (of_graph.Connections, "network"),
    "layers": (of_graph.Layers, "network"),
    "children": (of_graph.Children, "network"),
    "depth": (of_graph.Depth, "network"),
    "output": (of_output.Output, "network"),
    "widths": (of_output.Widths, "network"),
    "sides": (of_output.Sides, "network"),
    "units": (of_output.Units, "network"),
    "sight": (of_output.Sight, "network"),
    "settings": (of_output.Settings, "network"),
    "kernels": (of_output.Kernels, "network"),
    "functions": (of_output.Functions, "network"),
    "convolve": (of_arithmetic.Convolve, "count"),
    "connect": (of_arithmetic.Connect, "count"),
    "stack": (of_arithmetic.Stacked, "stack"),
    "spread": (of_arithmetic.Spread, "kernel"),
}
COMBINED: dict[str, type[Any]] = {
    "each": combined.Each,
    "sum": combined.Sum,
    "difference": combined.Difference,
    "ratio": combined.Ratio,
}
PAIRS = ("difference", "ratio")
KINDS = (*SIMPLE, *COMBINED, "expression")
SELECTING = tuple(Selection.__dataclass_fields__)


def read_measure(table: Table) -> Measure:
    """The measure that a table describes; raises `UserError` with what is wrong in it."""
    named = [key for key in table if key in KINDS]
    if len(named) != 1:
        raise UserError(
            f"a measure names one kind, given {', '.join(table) or 'nothing'}; "
            f"the kinds are {', '.join(KINDS)}"
        )
    kind = named[0]
    options = {key: value for key, value in table.items() if key != kind}
    if kind == "expression":
        return _expression(table[kind], options)
    if kind in COMBINED:
        return _combined(kind, table[kind], options)
    return _simple(kind, table[kind], options)


def _simple(kind: str, first: Any, options: dict[str, Any]) -> Measure:
    made, field = SIMPLE[kind]
    fields = made.__dataclass_fields__
    selecting = SELECTING if "select" in fields else ()
    allowed = [*(name for name in fields if name not in (field, "select")), *selecting]
    _refuse_others(kind, options, allowed)
    own = {key: value for key, value in options.items() if key in fields}
    if selecting:
        own["select"] = {key: options[key] for key in options if key in selecting}
    try:
        measure: Measure = msgspec.convert({field: first, **own}, made)
    except msgspec.ValidationError as error:
        raise UserError(f"the measure {kind!r}: {error}") from error
    return measure


def _combined(kind: str, parts: Any, options: dict[str, Any]) -> Measure:
    _refuse_others(kind, options, [])
    if not isinstance(parts, list) or (kind in PAIRS and len(parts) != 2):
        wanted = "two measures" if kind in PAIRS else "measures"
        raise UserError(f"the measure {kind!r} takes a list of {wanted}, given {parts!r}")
    measure: Measure = COMBINED[kind](tuple(map(read_measure, parts)))
    return measure


def _expression(text: Any, options: dict[str, Any]) -> Measure:
    if not isinstance(text, str):
        raise UserError(f"the measure 'expression' is written as text, given {text!r}")
    parts = tuple(map(read_measure, options.values()))
    return combined.Expression(parts, text, tuple(options))


def _refuse_others(kind: str, options: dict[str, Any], allowed: list[str]) -> None:
    for key in options:
        if key not in allowed:
            can = f"it knows {', '.join(allowed)}" if allowed else "it has no options"
            raise UserError(f"the measure {kind!r} has no option {key!r}; {can}")
