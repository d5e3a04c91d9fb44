"""What an operation means: a role, and the settings in which two of that role can differ.

Widths read (``c_in``, ``features``) are no settings: they follow from what is read.
"""

from collections.abc import Callable
from math import prod
from typing import Any

from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Softmax
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import Attention, AttentionWeights, Dense, Distance, Einsum
from convatlas.graph.rearrange import Concat, Pad, Reduce, Resize, Roll, Select, Slice
from convatlas.graph.sizes import Size, value
from convatlas.graph.source import Gather, Unknown

Value = Any  # numbers, words, tuples of them
Settings = dict[str, Value]
Meaning = tuple[str, Settings]
Rule = Callable[[Any, tuple[Shape, ...], Shape, bool], Meaning]

GLOBAL = "the whole map"
# Settings of activations that may be left out, by name; what torch takes for them.
DEFAULTS: dict[str, tuple[float | str, ...]] = {
    "leaky_relu": (0.01,),
    "elu": (1.0,),
    "celu": (1.0,),
    "hardtanh": (-1.0, 1.0),
    "softplus": (1.0, 20.0),
    "gelu": ("none",),
    "softshrink": (0.5,),
    "hardshrink": (0.5,),
    "rrelu": (1 / 8, 1 / 3),
}
# Activations under another name: function and settings, or function alone if it takes none.
SAME: dict[tuple[str, tuple[float | str, ...]], str] = {
    ("hardtanh", (0.0, 6.0)): "relu6",
    ("threshold", (0.0, 0.0)): "relu",
    ("leaky_relu", (0.0,)): "relu",
    ("elu", (0.0,)): "relu",
}
SPELLINGS = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "absolute": "abs",
    "negative": "neg",
    "clip": "clamp",
}


def meaning(
    operation: Operation, given: tuple[Shape, ...], made: Shape, training: bool = False
) -> Meaning:
    """Role and settings of an operation that reads and makes these shapes."""
    rule = RULES.get(type(operation))
    if rule is None:
        return _words(type(operation).__name__), {}
    return rule(operation, given, made, training)


def from_end(axis: int, shape: Shape) -> int:
    """An axis counted from the end, axes of length 1 at the end left out of the count."""
    place, rank = axis % len(shape), len(shape)
    while rank > place + 1 and shape[rank - 1] == 1:
        rank -= 1
    return place - rank


def activation(function: str, settings: tuple[float | str, ...]) -> Meaning:
    """An activation under one name, its settings complete."""
    numbers = tuple(float(s) if isinstance(s, int) else s for s in settings)
    full = numbers + DEFAULTS.get(function, ())[len(numbers) :]
    if function == "hardtanh":  # its bounds may have been given by name, in any order
        full = tuple(sorted(full, key=float))
    same = SAME.get((function, full))
    return "activation", {"kind": same or function, "settings": () if same else full}


def _conv(op: Conv, given: tuple[Shape, ...], made: Shape, _: bool) -> Meaning:
    space = given[0][-len(op.kernel) :]
    bare = not any(map(any, op.padding)) and op.groups == 1 and op.links is None
    if bare and op.kernel == space and prod(made[-len(space) :]) == 1:
        return dense(op.c_out, op.bias)
    depthwise = op.groups > 1 and op.groups == op.c_in
    return "convolution", {
        "kernel": op.kernel,
        "stride": op.stride,
        "padding": op.padding,
        "dilation": tuple(d if k > 1 else 1 for d, k in zip(op.dilation, op.kernel, strict=True)),
        "groups": "one for each map" if depthwise else op.groups,
        "width": f"{op.c_out // op.c_in} for each map" if depthwise else op.c_out,
        "bias": op.bias,
        "border": op.padding_mode if any(map(any, op.padding)) else "zeros",
        "links": op.links,
    }


def dense(width: int, bias: bool, over: str = "everything") -> Meaning:
    """A dense layer, or the convolution that is one."""
    return "dense layer", {"width": width, "bias": bias, "over": over}


def _dense(op: Dense, given: tuple[Shape, ...], _made: Shape, _: bool) -> Meaning:
    tokens = prod(given[0][1:-1]) > 1
    return dense(op.c_out, op.bias, "each position" if tokens else "everything")


def _transposed(op: ConvTransposed, _given: object, _made: Shape, _: bool) -> Meaning:
    return "transposed convolution", {
        "kernel": op.kernel,
        "stride": op.stride,
        "padding": tuple((p, p) for p in op.padding),
        "output padding": op.output_padding,
        "dilation": op.dilation,
        "groups": op.groups,
        "width": op.c_out,
        "bias": op.bias,
    }


def pooling(how: str, kernel: Value, **more: Value) -> Meaning:
    """A pool; of a global one nothing but its kind and ``GLOBAL`` is said."""
    return "pooling", {"kind": how, "kernel": kernel, **more}


def _pool(op: Pool, given: tuple[Shape, ...], made: Shape, _: bool) -> Meaning:
    axes = len(op.kernel)
    padded = any(map(any, op.padding))
    if op.kernel == given[0][-axes:] and prod(made[-axes:]) == 1 and not padded:
        return pooling(op.how, GLOBAL)
    more = {"includes padding": op.count_include_pad or not padded} if op.how == "avg" else {}
    return pooling(
        op.how,
        op.kernel,
        stride=op.stride,
        padding=op.padding,
        dilation=op.dilation,
        rounding="up" if op.ceil and max(op.stride) > 1 else "down",
        **more,
    )


def _adaptive(op: AdaptivePool, _given: object, _made: Shape, _: bool) -> Meaning:
    if all(size == 1 for size in op.size):
        return pooling(op.how, GLOBAL)
    return pooling(op.how, "to " + "×".join("any" if s is None else str(s) for s in op.size))


def _batch_norm(op: BatchNorm, _given: object, _made: Shape, training: bool) -> Meaning:
    own = "of the batch" if op.training else "running"
    return "normalisation", {
        "kind": "batch",
        "eps": op.eps,
        "momentum": op.momentum,
        "affine": op.affine,
        "statistics": "by mode" if op.training == training else own,
    }


def _layer_norm(op: LayerNorm, _given: object, _made: Shape, _: bool) -> Meaning:
    return "normalisation", {
        "kind": "layer",
        "eps": op.eps,
        "affine": op.affine,
        "axes": len(op.over),
    }


def _group_norm(op: GroupNorm, _given: object, _made: Shape, _: bool) -> Meaning:
    one_each = op.groups == op.features
    return "normalisation", {
        "kind": "instance" if one_each else "group",
        "eps": op.eps,
        "affine": op.affine,
        "groups": 0 if one_each else op.groups,
    }


def _response_norm(op: ResponseNorm, _given: object, _made: Shape, _: bool) -> Meaning:
    return "normalisation", {
        "kind": "local response",
        "size": op.size,
        "alpha": op.alpha,
        "beta": op.beta,
        "k": op.k,
    }


def _dropout(op: Dropout, _given: object, _made: Shape, training: bool) -> Meaning:
    own = "always" if op.training else "never"
    return "dropout", {
        "p": op.p,
        "drops": "whole maps" if op.maps else "values",
        "acts": "by mode" if op.training == training else own,
    }


def _arithmetic(op: Arithmetic, given: tuple[Shape, ...], made: Shape, _: bool) -> Meaning:
    name = SPELLINGS.get(op.function, op.function)
    if op.constant == 0 and name in ("clamp", "clamp_min"):
        return activation("relu", ())
    stretched = tuple(bare for bare in map(_bare, given) if bare != _bare(made))
    role = {"add": "addition", "mul": "multiplication"}.get(name, name)
    if role == "addition" and len(given) > 1 and not stretched:
        return "addition", {"of": "tensors"}
    return role, {"number": op.constant, "stretched": stretched and len(stretched)}


def _bare(shape: Shape) -> Shape:
    """A shape without the axes of length 1 that broadcasting puts before it."""
    first = next((n for n, size in enumerate(shape) if size != 1), len(shape))
    return shape[first:]


def _bounds(size: Size | None, given: tuple[Shape, ...], length: int) -> int | str:
    """The end of a slice: ``"end"`` where nothing is cut off."""
    stop = length if size is None else value(size, given)
    return "end" if stop >= length else stop


def _slice(op: Slice, given: tuple[Shape, ...], _made: Shape, _: bool) -> Meaning:
    return "slice", {
        "axis": from_end(op.axis, given[0]),
        "start": value(op.start, given),
        "stop": _bounds(op.stop, given, given[0][op.axis]),
        "step": op.step,
    }


def _select(op: Select, given: tuple[Shape, ...], _made: Shape, _: bool) -> Meaning:
    return "select", {"axis": from_end(op.axis, given[0]), "index": value(op.index, given)}


def _pad(op: Pad, given: tuple[Shape, ...], _made: Shape, _: bool) -> Meaning:
    widths = tuple((value(before, given), value(after, given)) for before, after in op.widths)
    return "pad", {"padding": widths, "border": op.mode}


def _roll(op: Roll, given: tuple[Shape, ...], _made: Shape, _: bool) -> Meaning:
    rank = len(given[0])
    return "roll", {
        "by": tuple(value(shift, given) for shift in op.shifts),
        "axes": tuple(axis - rank if axis >= 0 else axis for axis in op.axes),
    }


def _reduce(op: Reduce, given: tuple[Shape, ...], _made: Shape, _: bool) -> Meaning:
    rank = len(given[0])
    axes = tuple(sorted(axis % rank for axis in op.axes))
    if rank > 2 and axes == tuple(range(2, rank)) and op.function in ("mean", "amax"):
        return pooling("avg" if op.function == "mean" else "max", GLOBAL)
    return op.function, {"axes": tuple(axis - rank for axis in axes)}


def _resize(op: Resize, given: tuple[Shape, ...], made: Shape, _: bool) -> Meaning:
    axes = len(op.sizes or op.factors or ())
    pairs = zip(made[-axes:], given[0][-axes:], strict=True)
    return "interpolation", {
        "mode": op.mode,
        "factor": tuple(new / old for new, old in pairs),
        "corners": op.align_corners,
    }


RULES: dict[type, Rule] = {
    Conv: _conv,
    ConvTransposed: _transposed,
    Dense: _dense,
    Pool: _pool,
    AdaptivePool: _adaptive,
    SubSampling: lambda op, *_: pooling("sub-sampling", op.kernel),
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
    GroupNorm: _group_norm,
    ResponseNorm: _response_norm,
    Activation: lambda op, *_: activation(op.function, op.settings),
    Softmax: lambda op, given, *_: (
        "softmax",
        {"axis": from_end(op.axis, given[0]), "logarithm": op.log},
    ),
    Dropout: _dropout,
    Arithmetic: _arithmetic,
    Concat: lambda op, given, *_: ("concatenation", {"axis": from_end(op.axis, given[0])}),
    Slice: _slice,
    Select: _select,
    Pad: _pad,
    Roll: _roll,
    Reduce: _reduce,
    Resize: _resize,
    Gather: lambda op, *_: ("table", {"axis": op.axis}),
    Einsum: lambda op, *_: ("product of matrices", {"equation": op.equation}),
    Attention: lambda op, *_: ("attention", {"heads": op.heads}),
    AttentionWeights: lambda op, *_: ("weights of attention", {"averaged": op.average}),
    Distance: lambda op, *_: ("distance", {"width": op.c_out}),
    Unknown: lambda op, *_: (op.function, {}),
}


def _words(name: str) -> str:
    """A class's name in words: MatrixProduct to matrix product."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
