"""Activations, arithmetic and dropout as torch calls them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Tracer
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
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "isclose", "logical_not", "isnan", "isinf")
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


def activation(name: str, tracer: Tracer, input: Tensor, *settings: Any, **more: Any) -> Traced:
    """One value in, one value out; what is set is kept in the order given."""
    inplace = bool(more.pop("inplace", False)) or name.endswith("_")
    kept = (*settings, *(value for key, value in sorted(more.items()) if key != "training"))
    plain = tuple(s for s in kept if isinstance(s, float | int | str) and not isinstance(s, bool))
    operation = Activation(function=name.rstrip("_"), settings=plain, inplace=inplace)
    return changed(tracer, input, tracer.record(operation, [input], alias=inplace), inplace)


def prelu(tracer: Tracer, input: Tensor, weight: Tensor) -> Traced:
    """A slope for each map, learned."""
    return tracer.record(Activation(function="prelu"), [input], parameters=[weight])


def softmax(log: bool, tracer: Tracer, input: Tensor, dim: int = -1, *_: Any, **__: Any) -> Traced:
    """F.softmax, F.log_softmax."""
    axis = dim - input.dim() if dim >= 0 else dim
    return tracer.record(Softmax(axis=axis, log=log), [input])


def dropout(
    maps: bool,
    tracer: Tracer,
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Traced:
    """F.dropout, F.dropout2d and their like."""
    operation = Dropout(p=p, training=training, maps=maps, inplace=inplace)
    alias = inplace or not training  # in evaluation the input itself is handed on
    return changed(tracer, input, tracer.record(operation, [input], alias=alias), inplace)


def arithmetic(name: str, tracer: Tracer, *given: Any, **more: Any) -> Traced:
    """Tensors and plain numbers value by value."""
    inplace = name.endswith("_") or more.get("inplace", False)
    tensors = [value for value in (*given, *more.values()) if isinstance(value, Tensor)]
    numbers = [v for v in given if isinstance(v, float | int) and not isinstance(v, bool)]
    constant = float(numbers[0]) if len(numbers) == 1 and len(tensors) == 1 else None
    operation = Arithmetic(function=name.rstrip("_"), constant=constant, inplace=inplace)
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = torch.promote_types(dtype, tensor.dtype)
    if name in COMPARISONS:
        dtype = torch.bool
    elif not dtype.is_floating_point and (name in FLOATS or isinstance(constant, float)):
        whole = all(isinstance(number, int) for number in numbers) and name not in FLOATS
        dtype = dtype if whole or dtype.is_complex else torch.get_default_dtype()
    made = tracer.record(operation, tensors, dtype=dtype, alias=bool(inplace))
    return changed(tracer, tensors[0], made, bool(inplace))


FLOATS = ("div", "truediv", "sqrt", "rsqrt", "exp", "log", "sin", "cos")


def changed(tracer: Tracer, target: Tensor, made: Traced, inplace: bool) -> Traced:
    """In place the same object goes on under its new node."""
    if not inplace:
        return made
    return tracer.moved(target, made)


def assigned(tracer: Tracer, target: Tensor, _place: Any, value: Any) -> None:
    """``target[place] = value``."""
    parts = [value] if isinstance(value, Tensor) else []
    made = tracer.record(Replace(inplace=True), [target, *parts], alias=True)
    tracer.moved(target, made)


def put(tracer: Tracer, target: Tensor, _indices: Any, values: Tensor, *_: Any) -> Traced:
    """Tensor.index_put: the target with some values replaced."""
    return tracer.record(Replace(), [target, values])


def cast(dtype: torch.dtype | None, tracer: Tracer, input: Tensor, *given: Any, **more: Any) -> Any:
    """Tensor.to, Tensor.float and their like; nothing happens where nothing changes."""
    for value in (*given, *more.values()):
        if isinstance(value, torch.dtype):
            dtype = value
        elif isinstance(value, Tensor):
            dtype = value.dtype
    if dtype is None or dtype == input.dtype:
        return input
    return tracer.record(Arithmetic(function="cast"), [input], dtype=dtype)


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
    **table((*UNARY, *BINARY, *COMPARISONS), arithmetic),
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
    **dict.fromkeys((Tensor.to, Tensor.type, Tensor.type_as), partial(cast, None)),
    Tensor.float: partial(cast, torch.float32),
    Tensor.double: partial(cast, torch.float64),
    Tensor.half: partial(cast, torch.float16),
    Tensor.bfloat16: partial(cast, torch.bfloat16),
    Tensor.long: partial(cast, torch.int64),
    Tensor.int: partial(cast, torch.int32),
    Tensor.bool: partial(cast, torch.bool),
}
