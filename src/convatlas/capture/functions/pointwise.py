"""Activations, arithmetic and dropout as torch calls them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, positive
from convatlas.capture.traced import Traced, lengths
from convatlas.capture.tracer import Tracer
from convatlas.graph.operation import ShapeError, shown
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace, Softmax

# name here: every function of torch that does it, by name; a name ending in _ works in place
ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid"),
    *("tanh", "hardswish", "hardsigmoid", "hardtanh", "softplus", "softsign", "logsigmoid"),
    *("threshold", "rrelu", "tanhshrink", "softshrink", "hardshrink"),
)
UNARY = (
    *("neg", "negative", "exp", "log", "log1p", "log2", "sqrt", "rsqrt", "abs", "absolute"),
    *("square", "sin", "cos", "erf", "floor", "ceil", "round", "sign", "reciprocal", "clone"),
    *("logical_not", "isnan", "isinf", "clamp", "clip", "clamp_min", "clamp_max", "nan_to_num"),
    *("contiguous", "cumsum", "expm1", "bernoulli", "bitwise_not"),
)
BINARY = (
    *("add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide", "pow"),
    *("maximum", "minimum", "floor_divide", "remainder", "fmod", "atan2", "lerp", "addcmul"),
    *("addcdiv", "masked_fill", "where", "logical_and", "logical_or", "bitwise_and", "bitwise_or"),
)
BITS = ("bitwise_and", "bitwise_or", "bitwise_not")
# operator methods, __add__ and so on: the name of what they do
OPERATORS = {
    **dict.fromkeys(("add", "radd", "iadd"), "add"),
    **dict.fromkeys(("sub", "rsub", "isub"), "sub"),
    **dict.fromkeys(("mul", "rmul", "imul"), "mul"),
    **dict.fromkeys(("truediv", "rtruediv", "rdiv", "itruediv", "idiv"), "div"),
    **dict.fromkeys(("pow", "rpow"), "pow"),
    **dict.fromkeys(("floordiv", "rfloordiv"), "floor_divide"),
    **{name: name for name in ("neg", "abs", "eq", "ne", "lt", "le", "gt", "ge")},
    **dict(zip(("mod", "and", "or", "invert"), ("remainder", *BITS), strict=True)),
}
IN_PLACE = ("iadd", "isub", "imul", "itruediv", "idiv")


def activation(name: str, tracer: Tracer, input: Tensor, *settings: Any, **more: Any) -> Tensor:
    """One value in, one value out; what is set is kept in the order given."""
    inplace = bool(more.pop("inplace", False)) or name.endswith("_")
    kept = (*settings, *(value for key, value in sorted(more.items()) if key != "training"))
    plain = tuple(
        setting if isinstance(setting, str) else float(setting)
        for setting in kept
        if isinstance(setting, float | int | str) and not isinstance(setting, bool)
    )
    operation = Activation(function=name.rstrip("_"), settings=plain, inplace=inplace)
    return changed(tracer, input, tracer.record(operation, [input], alias=inplace), inplace)


def prelu(tracer: Tracer, input: Tensor, weight: Tensor) -> Traced:
    """A slope for each map, learned."""
    slopes, shape = lengths(weight), lengths(input)
    if slopes not in ((), (1,), shape[1:2]):
        raise ShapeError(
            f"has slopes for {shown(slopes)} maps, given {shown(shape)}; "
            f"set its num_parameters to {shown(shape[1:2])}, or to 1"
        )
    return tracer.record(Activation(function="prelu"), [input], parameters=[weight])


def softmax(log: bool, tracer: Tracer, input: Tensor, dim: int = -1, *_: Any, **__: Any) -> Traced:
    """F.softmax, F.log_softmax."""
    (axis,) = positive(dim, input.dim())
    axis -= input.dim()
    return tracer.record(Softmax(axis=axis, log=log), [input])


def dropout(
    maps: bool,
    tracer: Tracer,
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    """F.dropout, F.dropout2d and their like."""
    operation = Dropout(p=p, training=training, maps=maps, inplace=inplace)
    alias = inplace or not training  # in evaluation the input itself is handed on
    return changed(tracer, input, tracer.record(operation, [input], alias=alias), inplace)


def arithmetic(name: str, tracer: Tracer, *given: Any, **more: Any) -> Any:
    """Tensors and plain numbers value by value."""
    target = more.pop("out", None)
    inplace = name.endswith("_") or bool(more.get("inplace", False))
    every = (*given, *more.values())
    tensors = [value for value in every if isinstance(value, Tensor)]
    numbers = [v for v in every if isinstance(v, float | int | complex) and not isinstance(v, bool)]
    alone = numbers[0] if len(numbers) == 1 and len(tensors) == 1 else None
    constant = float(alone) if isinstance(alone, float | int) else None
    plain = name.rstrip("_")
    operation = Arithmetic(function=plain, constant=constant, inplace=inplace)
    dtype = tensors[0].dtype if inplace else result_type(plain, tensors, numbers)
    made = tracer.record(operation, tensors, dtype=dtype, alias=inplace)
    if isinstance(target, Tensor):
        return tracer.moved(target, made)
    return changed(tracer, tensors[0], made, inplace)


def result_type(name: str, tensors: Sequence[Tensor], numbers: Sequence[Any]) -> torch.dtype:
    """What torch makes of these kinds: tensors with axes weigh more than those without."""
    if name in TRUTHS:
        return torch.bool
    if name == "where" and len(tensors) > 1:
        tensors = [tensor for tensor in tensors if tensor.dtype != torch.bool] or tensors
    kind = tensors[0].dtype
    for other in tensors[1:]:
        kind = kind if other.dtype == kind else _joined(tensors)
    if kind.is_complex:
        return REALS.get(kind, kind) if name in ("abs", "absolute", "angle") else kind
    if kind.is_floating_point:
        return torch.promote_types(kind, torch.complex64) if _any(complex, numbers) else kind
    broken = _any(float, numbers) and name not in ("masked_fill", "clamp", "clip")
    return torch.get_default_dtype() if broken or name in FLOATS else kind


def _any(kind: type, numbers: Sequence[Any]) -> bool:
    return any(isinstance(number, kind) for number in numbers)


def _joined(tensors: Sequence[Tensor]) -> torch.dtype:
    """The common kind, of tensors without axes only where they are of a higher category."""
    ranked: dict[bool, torch.dtype] = {}
    for tensor in tensors:
        full = tensor.dim() > 0
        kind = ranked.get(full)
        ranked[full] = tensor.dtype if kind is None else torch.promote_types(kind, tensor.dtype)
    if len(ranked) == 1:
        return next(iter(ranked.values()))
    high, low = ranked[True], ranked[False]
    return torch.promote_types(high, low) if _category(low) > _category(high) else high


def _category(kind: torch.dtype) -> int:
    whole = 0 if kind == torch.bool else 1
    return 3 if kind.is_complex else 2 if kind.is_floating_point else whole


TRUTHS = (
    *("eq", "ne", "lt", "le", "gt", "ge", "isclose", "logical_not", "isnan", "isinf", "isfinite"),
    *("logical_and", "logical_or", "logical_xor", "signbit"),
)
FLOATS = (
    *("div", "divide", "true_divide", "sqrt", "rsqrt", "exp", "log", "log2", "log1p", "expm1"),
    *("sin", "cos", "tan", "erf", "reciprocal", "atan2", "sigmoid", "tanh"),
)
REALS = {torch.complex64: torch.float32, torch.complex128: torch.float64}


def changed(tracer: Tracer, target: Tensor, made: Traced, inplace: bool) -> Tensor:
    """In place the same object goes on under its new node."""
    if not inplace:
        return made
    return tracer.moved(target, made)


def assigned(tracer: Tracer, target: Tensor, _place: Any, value: Any) -> None:
    """``target[place] = value``; after ``target[place] += 1`` the value is in there already."""
    if isinstance(target, Traced) and any(value is view for view in target.written):
        return
    parts = [value] if isinstance(value, Tensor) else []
    made = tracer.record(Replace(inplace=True), [target, *parts], alias=True)
    tracer.moved(target, made)


def put(tracer: Tracer, target: Tensor, _indices: Any, values: Tensor, *_: Any) -> Traced:
    """Tensor.index_put: the target with some values replaced."""
    return tracer.record(Replace(), [target, values])


def cast(kind: torch.dtype | None, tracer: Tracer, input: Tensor, *given: Any, **more: Any) -> Any:
    """Tensor.to, Tensor.float and their like; nothing happens where nothing changes."""
    for value in (*given, *more.values()):
        if isinstance(value, torch.dtype):
            kind = value
        elif isinstance(value, Tensor):
            kind = value.dtype
        elif isinstance(value, str) and value in TYPES:
            kind = TYPES[value]
    if kind is None or kind == input.dtype:
        return input
    return tracer.record(Arithmetic(function="cast"), [input], dtype=kind)


TYPES = {"torch.FloatTensor": torch.float32, "torch.LongTensor": torch.int64}


def copied(tracer: Tracer, target: Tensor, source: Tensor, *_: Any) -> Tensor:
    """Tensor.copy_: the target goes on with other values."""
    made = tracer.record(Replace(inplace=True), [target, source], alias=True)
    return tracer.moved(target, made)


def refilled(tracer: Tracer, target: Tensor, *_: Any, **__: Any) -> Tensor:
    """Tensor.zero_, fill_, bernoulli_ …: a constant in the place of the target."""
    made = tracer.record(Replace(inplace=True), [target], alias=True)
    return tracer.moved(target, made)


def forms(name: str) -> list[object]:
    """Every function of torch under a name, and its in-place form."""
    places = (torch, F, Tensor, torch.special)
    return [getattr(place, name) for place in places if hasattr(place, name)]


def table(names: tuple[str, ...], handler: Callable[..., Any]) -> dict[object, Handler]:
    """All forms of all names, plain and in place."""
    return {
        form: partial(handler, each)
        for name in names
        for each in (name, f"{name}_")
        for form in forms(each)
    }


HANDLERS: dict[object, Handler] = {
    **table((*UNARY, *BINARY, *TRUTHS), arithmetic),
    **{
        form: partial(arithmetic, name + "_" * (plain in IN_PLACE))
        for plain, name in OPERATORS.items()
        for form in forms(f"__{plain}__")
    },
    **table(ACTIVATIONS, activation),
    **dict.fromkeys((F.prelu, torch.prelu, Tensor.prelu), prelu),
    **dict.fromkeys((F.softmax, torch.softmax, Tensor.softmax), partial(softmax, False)),
    **dict.fromkeys((F.log_softmax, torch.log_softmax, Tensor.log_softmax), partial(softmax, True)),
    **dict.fromkeys((F.dropout, F.alpha_dropout, torch.dropout), partial(dropout, False)),
    **dict.fromkeys(
        (F.dropout1d, F.dropout2d, F.dropout3d, F.feature_alpha_dropout), partial(dropout, True)
    ),
    Tensor.__setitem__: assigned,
    **dict.fromkeys((torch.index_put, Tensor.index_put, Tensor.index_put_), put),
    Tensor.copy_: copied,
    **dict.fromkeys((Tensor.zero_, Tensor.fill_, Tensor.bernoulli_, Tensor.uniform_), refilled),
    Tensor.normal_: refilled,
    **dict.fromkeys((Tensor.to, Tensor.type, Tensor.type_as), partial(cast, None)),
    Tensor.float: partial(cast, torch.float32),
    Tensor.double: partial(cast, torch.float64),
    Tensor.half: partial(cast, torch.float16),
    Tensor.bfloat16: partial(cast, torch.bfloat16),
    Tensor.long: partial(cast, torch.int64),
    Tensor.int: partial(cast, torch.int32),
    Tensor.bool: partial(cast, torch.bool),
}
