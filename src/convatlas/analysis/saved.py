"""What each operation leaves for the backward pass, as torch 2.13 does it on the CPU.

A rule names the values that are kept: one that exists anyway (an input, the result), or so many
bytes of something made for the purpose (places of maxima, a dropout mask, a copy in order). Weights
are not named: they are there in any case. Followed are the formulas of torch's autograd; where
one serves all gradients at once (convolution, norms) it keeps the input even of frozen weights.
"""

from convatlas.analysis.saved_pointwise import activation, arithmetic, dropout, softmax
from convatlas.analysis.value import Call, Kept, Rule, Value
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm
from convatlas.graph.operation import elements
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Softmax
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import (
    Attention,
    AttentionWeights,
    Dense,
    Distance,
    Einsum,
    MatrixProduct,
)
from convatlas.graph.rearrange import Pad, Reduce
from convatlas.graph.source import Gather
from convatlas.graph.strides import is_contiguous, viewed

INDEX = 8  # bytes of an int64


def kept(call: Call, active: bool) -> Kept:
    """What one operation keeps, provided that a gradient flows through it at all.

    ``active``: of batch norm and dropout, that they work as in training.
    """
    if not call.made.grad:
        return ()
    if isinstance(call.operation, BatchNorm):
        return batch_norm(call, active)
    if isinstance(call.operation, Dropout):
        return dropout(call) if active else ()
    rule = RULES.get(type(call.operation))
    return rule(call) if rule else ()


def convolution(call: Call) -> Kept:
    """The input, whichever gradients are wanted; a second input is a computed weight."""
    return call.inputs + _computed_weight(call)


def _computed_weight(call: Call) -> tuple[int, ...]:
    """A table of links is laid out as a whole weight first (LeNet-5's C3)."""
    operation = call.operation
    if not isinstance(operation, Conv) or operation.links is None:
        return ()
    whole = operation.c_in * operation.c_out // operation.groups * elements(operation.kernel)
    return (whole * call.made.itemsize,)


def batch_norm(call: Call, active: bool) -> Kept:
    """The input and a computed weight; by the statistics of the batch these, too."""
    operation = call.operation
    assert isinstance(operation, BatchNorm)
    return (*call.inputs[:2], *((operation.features * 4,) * 2 if active else ()))


def layer_norm(call: Call) -> Kept:
    """The input, a mean and a deviation for each place."""
    operation = call.operation
    assert isinstance(operation, LayerNorm)
    shape = call.inputs[0].shape
    places = elements(shape[: len(shape) - len(operation.over)])
    return call.inputs[0], places * 4, places * 4


def group_norm(call: Call) -> Kept:
    """The input in order, a mean and a deviation for each group of each picture."""
    operation = call.operation
    assert isinstance(operation, GroupNorm)
    groups = call.inputs[0].shape[0] * operation.groups
    return in_order(call.inputs[0]), groups * 4, groups * 4


def response_norm(call: Call) -> Kept:
    """The input, the padded squares, 1 + their mean, and its power."""
    operation = call.operation
    assert isinstance(operation, ResponseNorm)
    given = call.inputs[0]
    batch, maps, *space = given.shape
    padded = batch * (maps + operation.size - 1) * elements(space) * given.itemsize
    return given, padded, given.size, given.size


def pool(call: Call) -> Kept:
    """The input; of a maximum its places."""
    operation = call.operation
    assert isinstance(operation, Pool)
    places = elements(call.made.shape) * INDEX if operation.how == "max" else 0
    return call.inputs[0], places


def adaptive_pool(call: Call) -> Kept:
    """As `pool`; the mean of everything is a plain mean, which keeps nothing."""
    operation = call.operation
    assert isinstance(operation, AdaptivePool)
    if operation.how == "max":
        return call.inputs[0], elements(call.made.shape) * INDEX
    return () if all(size == 1 for size in operation.size) else call.inputs


def sub_sampling(call: Call) -> Kept:
    """What is summed, and the sums if the weight that multiplies them is trained."""
    given, sums = call.inputs[0], call.made.size
    return (*((given,) if given.grad else ()), *((sums,) if call.owned[0].trainable else ()))


def dense(call: Call) -> Kept:
    """The input if the weight is trained, copied in order if it cannot be seen as a matrix."""
    operation = call.operation
    assert isinstance(operation, Dense)
    given = call.inputs[0]
    if len(call.inputs) > 1:  # a computed weight
        return _factors(call)
    if not call.owned[0].trainable:
        return ()
    return (given if len(given.shape) < 3 else _as_matrix(given),)


def matrix_product(call: Call) -> Kept:
    """Each factor that the other's gradient needs, copied where its axes do not fold."""
    return _factors(call)


def _factors(call: Call) -> Kept:
    one, other = call.inputs[:2]
    batch = call.made.shape[:-2]
    made: list[Value | int] = []
    for value, partner in ((one, other), (other, one)):
        if partner.grad:
            made.append(_folded(value, partner, batch, turned=value is other))
    return tuple(made)


def _folded(value: Value, partner: Value, batch: tuple[int, ...], *, turned: bool) -> Value | int:
    """A factor as the product of batches of matrices takes it; ``turned``: it is the right one."""
    if len(value.shape) <= 2:
        return value
    if len(partner.shape) <= 2:  # all rows, or all columns, as one matrix
        return _as_matrix(value, turned=turned)
    missing = len(batch) - (len(value.shape) - 2)
    before = (1,) * missing + value.shape[:-2]
    stretched = (*batch, *value.shape[-2:])
    strides = (0,) * missing + value.strides[:-2]
    steps = tuple(0 if a != b else s for a, b, s in zip(before, batch, strides, strict=True))
    wanted = (elements(batch), *value.shape[-2:])
    if viewed(stretched, (*steps, *value.strides[-2:]), wanted) is None:
        return elements(wanted) * value.itemsize
    return value


def _as_matrix(value: Value, *, turned: bool = False) -> Value | int:
    """All rows below one another, or (``turned``) all columns; copied where they do not fold."""
    order = list(range(len(value.shape)))
    if turned:
        order[-2:] = order[:-3:-1]
    shape = tuple(value.shape[axis] for axis in order)
    strides = tuple(value.strides[axis] for axis in order)
    wanted = (elements(shape[:-1]), shape[-1])
    return value.size if viewed(shape, strides, wanted) is None else value


def in_order(value: Value) -> Value | int:
    """The value itself if it is contiguous, else the size of a copy."""
    return value if is_contiguous(value.shape, value.strides) else value.size


def einsum(call: Call) -> Kept:
    """Both operands of a product, copied where their axes do not fold into batches of matrices."""
    operation = call.operation
    assert isinstance(operation, Einsum)
    if len(call.inputs) < 2:
        return ()
    left, result = operation.equation.split("->")
    terms = left.split(",")
    made: list[Value | int] = []
    for one, other, term, partner in zip(
        *(call.inputs, call.inputs[::-1], terms, terms[::-1]), strict=True
    ):
        if other.grad:
            shared = [letter for letter in result if letter in term and letter in partner]
            own = [letter for letter in result if letter in term and letter not in partner]
            summed = sorted(letter for letter in set(term) & set(partner) if letter not in result)
            groups = (shared, own, summed) if term is terms[0] else (shared, summed, own)
            made.append(_gathered(one, term, groups))
    return tuple(made)


def _gathered(value: Value, term: str, groups: tuple[list[str], ...]) -> Value | int:
    """An operand with its letters in three groups, each as one axis."""
    places = [term.index(letter) for group in groups for letter in group]
    shape = tuple(value.shape[place] for place in places)
    strides = tuple(value.strides[place] for place in places)
    sizes = (elements(value.shape[term.index(letter)] for letter in group) for group in groups)
    wanted = tuple(sizes)
    if viewed(shape, strides, wanted) is None:
        return elements(wanted) * value.itemsize
    return value


def attention(call: Call) -> Kept:
    """The fused kernel: queries, keys, values, result, and a logarithm for each row of scores.

    Where heads lie side by side, queries, keys and values of one product are first copied apart.
    """
    operation = call.operation
    assert isinstance(operation, Attention)
    q, k, v = call.inputs[:3]
    if not operation.first:
        rows = elements(q.shape[:-1]) * operation.heads
        return q, k, v, *call.inputs[3:4], call.made, rows * 4
    tokens, *others, _ = q.shape
    rows = tokens * elements(others) * operation.heads
    together = q.storage == k.storage == v.storage
    apart = (q.size + k.size + v.size,) if together else (q, k, v)
    return *apart, *call.inputs[3:4], call.made, rows * 4


def attention_weights(call: Call) -> Kept:
    """Where the weights are asked for nothing is fused: scaled queries and the softmax, too."""
    operation = call.operation
    assert isinstance(operation, AttentionWeights)
    q, k = call.inputs[:2]
    tokens, *others, _ = q.shape
    scores = elements(others) * operation.heads * tokens * k.shape[0]
    return q.size, scores * q.itemsize


def distance(call: Call) -> Kept:
    """The differences, which are squared."""
    operation = call.operation
    assert isinstance(operation, Distance)
    return (elements(call.made.shape) * operation.c_in * call.made.itemsize,)


def pad(call: Call) -> Kept:
    """A mirrored or repeated border is written with the input, zeros need nothing."""
    operation = call.operation
    assert isinstance(operation, Pad)
    return call.inputs[:1] if operation.mode in ("reflect", "replicate") else ()


def reduce(call: Call) -> Kept:
    """Sums and means keep nothing; extremes the places or the values, spreads the input."""
    operation = call.operation
    assert isinstance(operation, Reduce)
    name, given = operation.function, call.inputs[0]
    if name in ("sum", "mean"):
        return ()
    if name in ("max", "min", "median") and len(operation.axes) < len(given.shape):
        return (elements(call.made.shape) * INDEX,)
    if name == "var":
        return (given,)
    return given, call.made


def gather(call: Call) -> Kept:
    """The indices."""
    return call.inputs[1:2]


RULES: dict[type, Rule] = {
    Conv: convolution,
    ConvTransposed: convolution,
    LayerNorm: layer_norm,
    GroupNorm: group_norm,
    ResponseNorm: response_norm,
    Pool: pool,
    AdaptivePool: adaptive_pool,
    SubSampling: sub_sampling,
    Dense: dense,
    MatrixProduct: matrix_product,
    Einsum: einsum,
    Attention: attention,
    AttentionWeights: attention_weights,
    Distance: distance,
    Activation: activation,
    Softmax: softmax,
    Arithmetic: arithmetic,
    Pad: pad,
    Reduce: reduce,
    Gather: gather,
}
