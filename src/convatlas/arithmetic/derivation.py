"""Figures with the numbers filled in: ``3·3·3·4 = 108``."""

from dataclasses import dataclass

from convatlas.arithmetic.convolution import Convolution
from convatlas.arithmetic.dense import Dense
from convatlas.arithmetic.field import Field
from convatlas.arithmetic.geometry import Geometry, Pair
from convatlas.arithmetic.pooling import Pool
from convatlas.arithmetic.size import Word
from convatlas.arithmetic.transposed import Transposed
from convatlas.arithmetic.window import Window


@dataclass(frozen=True, slots=True)
class Line:
    """What is worked out, and how."""

    what: str
    working: str


def of_convolution(layer: Convolution, size: Pair) -> tuple[Line, ...]:
    """Output size, weights, biases, parameters and MACs of a convolution on a map of ``size``."""
    cost = layer.cost(size)
    return (
        *of_geometry(layer.geometry, size),
        *_parameters(layer, layer.weights, layer.biases),
        Line("MACs", f"{weight_terms(layer)}·{times(*cost.output[1:])} = {cost.macs:,}"),
    )


def of_transposed(layer: Transposed, size: Pair) -> tuple[Line, ...]:
    """The same of a transposed convolution: every input pixel meets every weight."""
    cost = layer.cost(size)
    spans = layer.geometry.windows(size)
    sizes = [
        f"({size[axis]} − 1)·{spans[axis].stride} − 2·{layer.borders[axis][0]} + "
        f"{spans[axis].span} + {layer.output_padding[axis]} = {cost.output[1 + axis]}"
        for axis in (0, 1)
    ]
    return (
        *_both("span", *(map(_span, spans))),
        *_both("height", *sizes),
        *_parameters(layer, cost.weights, cost.biases),
        Line("MACs", f"{weight_terms(layer)}·{times(*size)} = {cost.macs:,}"),
    )


def of_pool(layer: Pool, size: Pair) -> tuple[Line, ...]:
    """The output size of a pool."""
    return of_geometry(layer.geometry, size, ceil=layer.ceil)


def of_dense(layer: Dense) -> tuple[Line, ...]:
    """Weights, biases and parameters of a dense layer."""
    cost = layer.cost()
    return (
        Line("weights", f"{layer.inputs}·{layer.outputs} = {cost.weights:,}"),
        Line("parameters", f"{cost.weights:,} + {cost.biases:,} = {cost.parameters:,}"),
    )


def of_geometry(geometry: Geometry, size: Pair, *, ceil: bool = False) -> tuple[Line, ...]:
    """Span, padding where it has to be worked out, and size, for both axes."""
    windows = geometry.windows(size, ceil=ceil)
    axes = tuple(zip(windows, geometry.pads, size, strict=True))
    return (
        *_both("span", *(_span(window) for window in windows)),
        *_both("padding", *(_padding(*axis) for axis in axes)),
        *_both("height", *(_size(window, length) for window, _, length in axes)),
    )


def of_field(windows: tuple[Window, ...], steps: tuple[Field, ...]) -> tuple[Line, ...]:
    """Size, jump and start after each layer of a stack, along one axis."""
    return tuple(
        Line(
            f"layer {number}",
            f"size {before.size} + ({window.kernel} − 1)·{window.dilation}·{before.jump}"
            f" = {after.size}, jump {before.jump}·{window.stride} = {after.jump}, "
            f"start {before.start:g} + ({window.span - 1}/2 − {window.border[0]})·{before.jump}"
            f" = {after.start:g}",
        )
        for number, (window, before, after) in enumerate(
            zip(windows, steps, steps[1:], strict=False), start=1
        )
    )


def times(*factors: int) -> str:
    """``3·3·4``."""
    return "·".join(map(str, factors))


def weight_terms(layer: Convolution | Transposed) -> str:
    """``3·3·(3/3)·4``: the product that the weights are."""
    into = f"({layer.c_in}/{layer.groups})" if layer.groups > 1 else layer.c_in
    return f"{times(*layer.geometry.kernel)}·{into}·{layer.c_out}"


def _parameters(layer: Convolution | Transposed, weights: int, biases: int) -> tuple[Line, ...]:
    lines = (Line("weights", f"{weight_terms(layer)} = {weights:,}"),)
    if not biases:
        return lines
    return (*lines, Line("parameters", f"{weights:,} + {biases:,} = {weights + biases:,}"))


def _both(what: str, rows: str, columns: str) -> tuple[Line, ...]:
    """One line if both axes read the same, two otherwise, none if there is nothing to say."""
    names = ("height", "width") if what == "height" else (f"{what}, height", f"{what}, width")
    if rows == columns:
        return (Line("height, width" if what == "height" else what, rows),) if rows else ()
    return tuple(
        Line(name, text) for name, text in zip(names, (rows, columns), strict=True) if text
    )


def _span(window: Window) -> str:
    """Only a dilated kernel spans more than its size."""
    if window.dilation == 1:
        return ""
    return f"{window.dilation}·({window.kernel} − 1) + 1 = {window.span}"


def _padding(window: Window, pad: int | Word, size: int) -> str:
    """Only *same* has to be worked out."""
    if pad != "same":
        return ""
    before, after = window.border
    output = window.output(size)
    rounded = f"⌈{size}/{window.stride}⌉ = {output} outputs: "
    needed = (output - 1) * window.stride + window.span - size
    none = (
        f" = −{-needed}, so none" if needed < 0 else f" = {needed}, {before} before, {after} after"
    )
    return f"{rounded}({output} − 1)·{window.stride} + {window.span} − {size}{none}"


def _size(window: Window, size: int) -> str:
    before, after = window.border
    padding = f"2·{before}" if before == after else f"{before} + {after}"
    inner = f"({size} + {padding} − {window.span})/{window.stride}"
    output = window.output(size)
    if not window.ceil:
        return f"⌊{inner}⌋ + 1 = {output}"
    places = -((window.span - size - before - after) // window.stride) + 1
    dropped = "" if places == output else ", the last of which would begin in the padding"
    return f"⌈{inner}⌉ + 1 = {places}{dropped and f'{dropped}: {output}'}"
