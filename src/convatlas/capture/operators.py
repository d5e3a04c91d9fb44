"""torch's own operators: where functions that are not in the tables end up, piece by piece."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from convatlas.capture.arguments import Handler, positive
from convatlas.capture.functions import conv, norm, pointwise, pool, product, rearrange
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import NeedsValues, Tracer
from convatlas.graph.operation import Operation
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.rearrange import Slice, View
from convatlas.graph.source import Unknown

aten = torch.ops.aten


def convolution(
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
) -> Traced:
    """aten.convolution, both ways."""
    if transposed:
        return conv.conv_transpose(
            tracer, input, weight, bias, stride, padding, output_padding, groups, dilation
        )
    return conv.conv(tracer, input, weight, bias, stride, padding, dilation, groups)


def flash_attention(tracer: Tracer, query: Tensor, key: Tensor, value: Tensor, *_: Any) -> Any:
    """The fused attention kernels: the first result is the one that counts."""
    made = product.attention(tracer, query, key, value)
    return (made, *[tracer.beside(made, torch.float32)] * 8)


def max_pool_with_indices(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.max_pool2d_with_indices."""
    return pool.max_pool(2, tracer, input, *rest, return_indices=True)


def normed(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.native_batch_norm: weight, bias, mean, variance, training, momentum, eps."""
    weight, bias, mean, variance, training, momentum, eps = rest[:7]
    made = norm.batch_norm(tracer, input, mean, variance, weight, bias, training, momentum, eps)
    return made, tracer.beside(made, made.dtype), tracer.beside(made, made.dtype)


def layer_normed(tracer: Tracer, input: Tensor, *rest: Any) -> Any:
    """aten.native_layer_norm."""
    made = norm.layer_norm(tracer, input, *rest)
    return made, tracer.beside(made, made.dtype), tracer.beside(made, made.dtype)


def transposed(tracer: Tracer, input: Tensor) -> Any:
    """aten.t: the transpose of a parameter keeps its name for the product that follows."""
    return rearrange.turned(tracer, input)


def soft(log: bool) -> Handler:
    """aten._softmax, aten._log_softmax."""
    return lambda tracer, input, dim, *_: pointwise.softmax(log, tracer, input, dim)


def reduced(name: str) -> Handler:
    """aten.mean.dim and its like."""
    return lambda tracer, input, dim=None, keepdim=False, **_: rearrange.reduce(
        name, tracer, input, dim, keepdim
    )


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


TABLE: dict[object, Handler] = {
    aten.convolution: convolution,
    aten.mm: product.matmul,
    aten.bmm: product.matmul,
    aten.mv: product.matmul,
    aten.dot: product.matmul,
    aten.addmm: product.product_and_sum,
    aten.baddbmm: product.product_and_sum,
    aten.linear: product.linear,
    aten.t: transposed,
    aten.transpose: rearrange.transpose,
    aten.permute: turned,
    aten.view: reshaped,
    aten._unsafe_view: reshaped,
    aten.reshape: reshaped,
    aten.expand: expanded,
    aten.slice: sliced,
    aten.unsqueeze: rearrange.unsqueeze,
    aten.cat: rearrange.cat,
    aten.native_batch_norm: normed,
    aten.native_layer_norm: layer_normed,
    aten._softmax: soft(False),
    aten._log_softmax: soft(True),
    aten.mean: reduced("mean"),
    aten.sum: reduced("sum"),
    aten.max_pool2d_with_indices: max_pool_with_indices,
    aten._scaled_dot_product_flash_attention: flash_attention,
    aten._scaled_dot_product_flash_attention_for_cpu: flash_attention,
    aten._scaled_dot_product_efficient_attention: flash_attention,
    aten._scaled_dot_product_cudnn_attention: flash_attention,
}
FREE = {aten.detach, aten.alias, aten.lift_fresh}
COPIES = {aten.clone, aten._to_copy, aten.copy, aten.contiguous, aten.fill, aten.bernoulli}
RANDOM = {aten.rand, aten.randn, aten.bernoulli_, aten.uniform_, aten.normal_}


def dispatched(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One operator on stand-ins."""
    tracer = _tracer((*args, *kwargs.values()))
    packet = func.overloadpacket
    if packet in FREE:
        return args[0]
    handler = TABLE.get(packet)
    if handler is not None:
        return handler(tracer, *args, **kwargs)
    made = _on_meta(tracer, func, args, kwargs)
    tensors = [
        value for value in _flat((args, tuple(kwargs.values()))) if isinstance(value, Tensor)
    ]
    name = packet.__name__
    if torch.Tag.pointwise in func.tags or packet in COPIES | RANDOM or name.endswith("_like"):
        operation: Operation = Arithmetic(function=name.rstrip("_"), inplace=name.endswith("_"))
        if name.endswith("_"):
            return tracer.moved(tensors[0], tracer.record(operation, tensors, alias=True))
        return tracer.record(operation, tensors, dtype=made.dtype)
    tracer.pin()
    view = any(result.alias_info is not None for result in func._schema.returns)
    return _unpacked(tracer, name, tensors, made, view)


def _unpacked(tracer: Tracer, name: str, tensors: list[Tensor], made: Any, view: bool) -> Any:
    """Results in the form the operator gives them."""
    if isinstance(made, list | tuple):
        return type(made)([_unpacked(tracer, name, tensors, each, view) for each in made])
    if not isinstance(made, Tensor):
        return made
    shape = tuple(map(int, made.shape))
    operation = Unknown(function=f"aten.{name}", shape=shape, view=view)
    return tracer.record(operation, tensors, dtype=made.dtype, alias=view)


def _on_meta(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the operator makes of shapes alone."""
    try:
        with torch.no_grad():
            return func(*_meta(args), **{key: _meta(value) for key, value in kwargs.items()})
    except (NotImplementedError, RuntimeError) as error:
        name = func.overloadpacket.__name__
        raise NeedsValues(
            f"the shape that aten.{name} makes depends on values", tracer.path()
        ) from error


def _meta(value: Any) -> Any:
    if isinstance(value, Traced):
        return torch.empty(tuple(value.lengths), dtype=value.dtype, device="meta")
    if isinstance(value, Tensor):
        return value.to("meta")
    if isinstance(value, list | tuple):
        return type(value)(map(_meta, value))
    return torch.device("meta") if isinstance(value, torch.device) else value


def _flat(values: Any) -> Any:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _tracer(values: tuple[Any, ...]) -> Tracer:
    return next(value.tracer for value in _flat(values) if isinstance(value, Traced))
