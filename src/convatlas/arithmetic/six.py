"""Six layers from one input to the same outputs: what sharing weights saves."""

from dataclasses import dataclass, replace
from math import gcd

from convatlas.arithmetic.convolution import (
    Convolution,
    Cost,
    chain,
    separable,
    total,
)
from convatlas.arithmetic.dense import Dense
from convatlas.arithmetic.derivation import weight_terms
from convatlas.arithmetic.geometry import Geometry, Shape
from convatlas.errors import UserError


@dataclass(frozen=True, slots=True)
class Rival:
    """One of the six: its name, its cost and the sum behind its parameters."""

    name: str
    cost: Cost
    working: str


def six(
    shape: Shape, c_out: int, geometry: Geometry, *, groups: int | None = None, bias: bool = True
) -> tuple[Rival, ...]:
    """Full, basic, dilated, grouped, pointwise and depthwise-separable.

    The full layer joins every input value to every value of the basic layer's output. The dilated
    one has the given dilation, or 2; the grouped one as many groups as there are input channels,
    or as many as divide both sides. All but the pointwise give the basic layer's output size if
    the padding is *same*.
    """
    c_in = shape[0]
    plain = replace(geometry, dilation=(1, 1))
    dilated = geometry if max(geometry.dilation) > 1 else replace(geometry, dilation=(2, 2))
    point = Geometry(kernel=(1, 1), stride=geometry.stride)
    basic = Convolution(c_in=c_in, c_out=c_out, geometry=plain, bias=bias)
    return (
        _full(shape, basic),
        _rival("basic", (basic,), shape),
        _rival(_dilated_name(dilated), (replace(basic, geometry=dilated),), shape),
        _grouped(basic, groups or gcd(c_in, c_out), shape),
        _rival("pointwise", (replace(basic, geometry=point),), shape),
        _rival("separable", separable(c_in, c_out, plain, bias=bias), shape),
    )


def _full(shape: Shape, basic: Convolution) -> Rival:
    output = basic.cost(shape[1:]).output
    inputs, outputs = (side[0] * side[1] * side[2] for side in (shape, output))
    cost = Dense(inputs=inputs, outputs=outputs, bias=basic.bias).cost()
    working = f"{inputs:,}·{outputs:,}" + (f" + {cost.biases:,}" if cost.biases else "")
    return Rival("full", replace(cost, output=output), working)


def _grouped(basic: Convolution, groups: int, shape: Shape) -> Rival:
    name = "group" if groups == 1 else "groups"
    return _rival(f"grouped, {groups} {name}", (replace(basic, groups=groups),), shape)


def _dilated_name(geometry: Geometry) -> str:
    rows, columns = geometry.dilation
    return f"dilated by {rows}" if rows == columns else f"dilated by {rows}x{columns}"


def _rival(name: str, layers: tuple[Convolution, ...], shape: Shape) -> Rival:
    try:
        cost = total(chain(layers, shape))
    except UserError as error:
        raise UserError(f"the {name} layer: {error}") from None
    return Rival(name, cost, " + ".join(map(_sum, layers)))


def _sum(layer: Convolution) -> str:
    return weight_terms(layer) + (f" + {layer.biases}" if layer.biases else "")
