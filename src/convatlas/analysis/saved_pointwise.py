"""What operations value by value leave for the backward pass."""

from convatlas.analysis.value import Call, Kept
from convatlas.graph.operation import elements
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout

# By name: the derivative is written with the result, or with what went in.
RESULT = {
    *("relu", "sigmoid", "tanh"),
    *("exp", "expm1", "sqrt", "rsqrt", "reciprocal"),
}
INPUT = {
    *("relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish"),
    *("hardsigmoid", "hardtanh", "softplus", "threshold", "rrelu", "softshrink", "hardshrink"),
    *("prelu", "logsigmoid", "softsign", "tanhshrink"),
    *("log", "log1p", "log2", "sin", "cos", "erf", "abs", "absolute", "square", "clamp", "clip"),
    *("clamp_min", "clamp_max", "nan_to_num"),
}
# Working in place these have a second derivative, written with the result; others keep a copy.
IN_PLACE = {"leaky_relu", "elu", "selu", "celu", "rrelu"}
BESIDE = {"softsign", "logsigmoid", "rrelu"}  # 1 + |x|; a buffer; the random slopes
PRODUCTS = {"mul", "multiply"}
QUOTIENTS = {"div", "divide", "true_divide", "truediv"}
SUMS = {"addcmul", "addcdiv"}  # of a tensor and a product or quotient
REMAINDERS = {"fmod", "remainder"}
CHOICES = {"where", "masked_fill"}
BOTH = {"maximum", "minimum", "atan2"}


def activation(call: Call) -> Kept:
    """Input or result; some are put together from several operations."""
    operation = call.operation
    assert isinstance(operation, Activation)
    name, made = operation.function, call.made
    if name == "scaled tanh":
        return (made.size,)  # of the tanh itself; what is scaled is another tensor
    if name == "tanhshrink":
        return (made.size,)  # tanh x
    if name in RESULT:
        return (made,)
    before = (made,) if operation.inplace and name in IN_PLACE else _before(call, 0)
    if name in BESIDE:
        return (*before, made.size)
    return before if name in INPUT else ()


def softmax(call: Call) -> Kept:
    """The derivative is written with the result."""
    return (call.made,)


def dropout(call: Call) -> Kept:
    """The mask: a factor for every value, or for every map."""
    operation = call.operation
    assert isinstance(operation, Dropout)
    if operation.p == 0:
        return ()
    shape = call.made.shape
    return (elements(shape[:2] if operation.maps else shape) * call.made.itemsize,)


def arithmetic(call: Call) -> Kept:
    """What is added is not kept; of a product each factor that the other's gradient needs."""
    operation = call.operation
    assert isinstance(operation, Arithmetic)
    name = operation.function
    if name in RESULT:
        return (call.made,)
    if name in INPUT or (name == "pow" and len(call.inputs) == 1):
        return _before(call, 0)
    return joined(call, name) if len(call.inputs) > 1 else ()


def joined(call: Call, name: str) -> Kept:
    """Two tensors or three."""
    one, other = call.inputs[:2]
    if name in PRODUCTS:
        return (*(_before(call, 0) if other.grad else ()), *((other,) if one.grad else ()))
    if name in QUOTIENTS:
        return (*(_before(call, 0) if other.grad else ()), other)
    if name in SUMS:
        one, other = call.inputs[-2:]
        both = one.grad or name == "addcdiv"
        return (*((one,) if other.grad else ()), *((other,) if both else ()))
    if name in CHOICES:
        return tuple(value for value in call.inputs if value.itemsize == 1)
    if name == "pow":
        return (*_before(call, 0), other, call.made)
    if name == "lerp":  # by a number nothing is kept
        return call.inputs[0 if call.inputs[-1].grad else 2 :] if len(call.inputs) > 2 else ()
    if name in REMAINDERS:
        return (*_before(call, 0), other) if other.grad else ()
    return (*_before(call, 0), other) if name in BOTH else ()


def _before(call: Call, position: int) -> Kept:
    """An input as it was before: a copy of it, if it is overwritten."""
    value = call.inputs[position]
    overwritten = getattr(call.operation, "inplace", False)
    return (value.size,) if overwritten else (value,)
