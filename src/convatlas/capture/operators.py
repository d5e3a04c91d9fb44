"""torch's own operators: where functions that are not in the tables end up, piece by piece.

Every operator is of one of these kinds: in the table; a view; value by value (torch tags them);
a reduction; values moved to other places; or unknown, which the graph lists.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from convatlas.capture.arguments import Handler, positive
from convatlas.capture.functions import conv, norm, pointwise, pool, product, rearrange, reduce
from convatlas.capture.traced import Traced, flat, lengths
from convatlas.capture.tracer import NeedsValues, Tracer
from convatlas.capture.whereabouts import line_now
from convatlas.graph.operation import Operation
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.rearrange import Slice, View
from convatlas.graph.source import Picked, Unknown

aten = torch.ops.aten


def convolution(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    *_: bool,
) -> Traced:
    """aten.convolution, both ways."""
    if transposed:
        return conv.conv_transpose(
            tracer, input, weight, bias, stride, padding, output_padding, groups, dilation
        )
    return conv.conv(tracer, input, weight, bias, stride, padding, dilation, groups)


def max_pool_with_indices(axes: int, tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.max_pool2d_with_indices and its like; ``rest`` may end before its defaults."""
    filled = (*rest, *((), 0, 1, False)[len(rest) - 1 :])
    kernel, stride, padding, dilation, ceil = filled
    return pool.max_pool(axes, tracer, input, kernel, stride, padding, dilation, ceil, True)


def normed(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.native_batch_norm: weight, bias, mean, variance, training, momentum, eps."""
    weight, bias, mean, variance, training, momentum, eps = rest[:7]
    made = norm.batch_norm(tracer, input, mean, variance, weight, bias, training, momentum, eps)
    saved = (lengths(input)[1],) if training else (0,)
    return made, *(tracer.beside(made, made.dtype, saved) for _ in range(2))


def normed_apart(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten._native_batch_norm_legit_no_training: no flag, for it does not train."""
    weight, bias, mean, variance, momentum, eps = rest
    return normed(tracer, input, weight, bias, mean, variance, False, momentum, eps)


def layer_normed(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.native_layer_norm: beside it mean and inverse deviation of each position."""
    made = norm.layer_norm(tracer, input, *rest)
    count = len(rest[0])
    saved = (*lengths(input)[:-count], *(1,) * count)
    return made, *(tracer.beside(made, made.dtype, saved) for _ in range(2))


def group_normed(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.native_group_norm: weight, bias, batch, maps, positions, groups, eps."""
    weight, bias, batch, _maps, _positions, groups, eps = rest
    made = norm.group_norm(tracer, input, groups, weight, bias, eps)
    return made, *(tracer.beside(made, made.dtype, (batch, groups)) for _ in range(2))


def soft(log: bool, tracer: Tracer, input: Tensor, dim: int, *_: Any) -> Traced:
    """aten._softmax, aten._log_softmax."""
    return pointwise.softmax(log, tracer, input, dim)


def reshaped(tracer: Tracer, input: Tensor, sizes: Sequence[int]) -> Traced:
    """Sizes come without their origins here: good for the captured input size alone."""
    tracer.pin()
    return tracer.record(View(sizes=tuple(map(int, sizes))), [input], alias=True)


def expanded(tracer: Tracer, input: Tensor, sizes: Sequence[int], **_: Any) -> Traced:
    """As `reshaped`."""
    if any(size != -1 for size in sizes):
        tracer.pin()
    return rearrange.expand(tracer, input, *sizes)


def sliced(
    tracer: Tracer, input: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Traced:
    """aten.slice."""
    tracer.pin()
    stop = None if end is None or end >= 1 << 62 else int(end)
    operation = Slice(axis=dim, start=int(start or 0), stop=stop, step=step)
    return tracer.record(operation, [input], alias=True)


def turned(tracer: Tracer, input: Tensor, order: Sequence[int]) -> Traced:
    """aten.permute."""
    return rearrange.permute(tracer, input, *positive(order, input.dim()))


def cast(tracer: Tracer, input: Tensor, **more: Any) -> Any:
    """aten._to_copy."""
    return tracer.record(Arithmetic(function="cast"), [input], dtype=more.get("dtype"))


TABLE: dict[object, Handler] = {
    **dict.fromkeys((aten.convolution, aten._convolution), convolution),
    **dict.fromkeys((aten.mm, aten.bmm, aten.mv, aten.dot, aten.vdot), product.matmul),
    **dict.fromkeys((aten.addmm, aten.baddbmm), product.product_and_sum),
    aten.linear: product.linear,
    aten.t: rearrange.turned,
    aten.transpose: rearrange.transpose,
    aten.permute: turned,
    **dict.fromkeys((aten.view, aten._unsafe_view, aten.reshape), reshaped),
    aten.expand: expanded,
    aten.slice: sliced,
    aten.unsqueeze: rearrange.unsqueeze,
    aten.cat: rearrange.cat,
    **dict.fromkeys((aten.native_batch_norm, aten._native_batch_norm_legit), normed),
    aten._native_batch_norm_legit_no_training: normed_apart,
    aten.native_layer_norm: layer_normed,
    aten.native_group_norm: group_normed,
    aten._softmax: partial(soft, False),
    aten._log_softmax: partial(soft, True),
    **{getattr(aten, name): partial(reduce.reduce, name) for name in ("mean", "sum", "amax")},
    **{getattr(aten, name): partial(reduce.spread, name) for name in ("var", "std")},
    aten.linalg_vector_norm: reduce.norm,
    aten.norm: reduce.norm,
    aten.max_pool2d_with_indices: partial(max_pool_with_indices, 2),
    aten.max_pool3d_with_indices: partial(max_pool_with_indices, 3),
    aten.avg_pool2d: partial(pool.avg_pool, 2),
    aten.avg_pool3d: partial(pool.avg_pool, 3),
    aten._adaptive_avg_pool2d: partial(pool.adaptive_pool, "avg", 2),
    aten._adaptive_avg_pool3d: partial(pool.adaptive_pool, "avg", 3),
    aten._to_copy: cast,
}
# The fused attention kernels, each with results of its own beside the first.
ATTENTION = {
    *(aten._scaled_dot_product_flash_attention, aten._scaled_dot_product_efficient_attention),
    *(aten._scaled_dot_product_flash_attention_for_cpu, aten._scaled_dot_product_cudnn_attention),
    *(
        aten._scaled_dot_product_fused_attention_overrideable,
        aten._scaled_dot_product_attention_math,
    ),
}
FREE = {aten.detach, aten.alias, aten.lift_fresh}
# Value by value, though torch does not tag them so.
PLAIN = {
    *(aten.clone, aten.copy, aten.contiguous, aten.fill, aten.bernoulli, aten.tril, aten.triu),
    *(aten.rand, aten.randn, aten.uniform, aten.normal, aten.cumsum, aten.native_dropout),
    *(aten.copy_, aten.fill_, aten.zero_, aten.bernoulli_, aten.uniform_, aten.normal_),
    *(aten.masked_fill, aten.masked_fill_, aten.new_zeros, aten.new_ones, aten.new_empty),
    *(aten.rrelu_with_noise, aten._prelu_kernel),
}
# Values taken elsewhere by computed places, without arithmetic.
PICKING = {
    *(aten.index, aten.gather, aten.scatter, aten.index_put, aten.take, aten.index_select),
    *(aten.embedding, aten.flip, aten.im2col, aten.col2im, aten.channel_shuffle, aten.roll),
    *(aten.constant_pad_nd, aten.reflection_pad1d, aten.reflection_pad2d, aten.replication_pad2d),
    *(aten.max_unpool2d, aten.max_unpool3d, aten.repeat, aten.index_add, aten.masked_select),
    *(aten.pixel_shuffle, aten.pixel_unshuffle, aten.native_channel_shuffle, aten.scatter_add),
    *(aten.index_put_, aten.scatter_, aten.index_copy, aten.rot90, aten._unsafe_index),
}


def dispatched(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One operator on stand-ins; with values, it is also done with these."""
    made = _recorded(tracer, func, args, kwargs)
    if tracer.values and not all(each is args[0] for each in flat([made])):
        tracer.values.follow(func, args, kwargs, made)
    return made


def _recorded(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    packet = func.overloadpacket
    if packet in FREE:
        return args[0]
    handler = TABLE.get(packet)
    if handler is not None:
        made = handler(tracer, *args, **kwargs)
        if made is not NotImplemented:
            return made
    found = _on_meta(tracer, func, args, kwargs)
    if packet in ATTENTION:
        made = product.attention(tracer, *args[:3])
        return made, *(_beside(tracer, made, each) for each in found[1:])
    tensors = [value for value in flat((args, kwargs)) if isinstance(value, Tensor)]
    name = packet.__name__
    if torch.Tag.pointwise in func.tags or packet in PLAIN or name.endswith("_like"):
        return _plain(tracer, name, tensors, found)
    tracer.pin()
    view = any(result.alias_info is not None for result in func._schema.returns)
    return _unpacked(tracer, packet, tensors, found, view)


def _plain(tracer: Tracer, name: str, tensors: list[Tensor], found: Any) -> Any:
    """Value by value; in place the first tensor goes on as the result."""
    inplace = name.endswith("_") and not name.endswith("__")
    operation = Arithmetic(function=name.rstrip("_"), inplace=inplace)
    several = isinstance(found, list | tuple)
    first = found[0] if several else found
    made = tracer.record(operation, tensors, dtype=first.dtype, alias=inplace)
    if lengths(made) != tuple(first.shape):  # a filler of another shape
        tracer.pin()
        made = tracer.constant(tuple(first.shape), first.dtype, made.device)
    if inplace:
        return tracer.moved(tensors[0], made)
    return (made, *(tracer.beside(made, each.dtype) for each in found[1:])) if several else made


def _beside(tracer: Tracer, made: Traced, result: Any) -> Any:
    """A further result; numbers are handed on as they are."""
    if not isinstance(result, Tensor):
        return result
    return tracer.beside(made, result.dtype, tuple(map(int, result.shape)))


def _unpacked(tracer: Tracer, packet: Any, tensors: list[Tensor], found: Any, view: bool) -> Any:
    """Results in the form the operator gives them: the first is the operation's, others beside."""
    first: list[Traced] = []

    def stand_in(result: Any) -> Any:
        if isinstance(result, list | tuple):
            return type(result)([stand_in(each) for each in result])
        if not isinstance(result, Tensor) or (first and not view):
            return _beside(tracer, first[0], result) if first else result
        shape = tuple(map(int, result.shape))
        name = f"aten.{packet.__name__}"
        picked = packet in PICKING
        operation: Operation = (
            Picked(function=name, shape=shape)
            if picked
            else Unknown(function=name, shape=shape, view=view)
        )
        made = tracer.record(operation, tensors, dtype=result.dtype, alias=view)
        first.append(made)
        return made

    return stand_in(found)


def _on_meta(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the operator makes of shapes alone, or else of values where these are followed."""
    try:
        with torch.no_grad():
            return func(*_meta(args), **{key: _meta(value) for key, value in kwargs.items()})
    except (NotImplementedError, RuntimeError) as error:
        if not isinstance(error, NotImplementedError) and not _hangs_on_values(func):
            raise
        name = func.overloadpacket.__name__
        if tracer.values:
            where = f"{tracer.path() or 'forward'} ({line_now()})"
            tracer.noted(f"the shape that aten.{name} makes in {where} depends on values")
            return tracer.values.computed(func, args, kwargs)
        raise NeedsValues(
            f"the shape that aten.{name} makes depends on values", tracer.path()
        ) from error


def _hangs_on_values(func: Any) -> bool:
    tags = (torch.Tag.dynamic_output_shape, torch.Tag.data_dependent_output)
    return any(tag in func.tags for tag in tags)


def _meta(value: Any) -> Any:
    if isinstance(value, Traced):
        return torch.empty(value.lengths, dtype=value.dtype, device="meta")
    if isinstance(value, Tensor):
        return value.to("meta")
    if isinstance(value, list | tuple):
        return type(value)([_meta(each) for each in value])
    return torch.device("meta") if isinstance(value, torch.device) else value
