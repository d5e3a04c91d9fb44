"""Fillers, tables and indexing as torch calls them."""

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, listed
from convatlas.capture.dim import Dim
from convatlas.capture.functions.rearrange import cut, forms, unsqueeze
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Sizes, Tracer
from convatlas.graph.graph import Node
from convatlas.graph.rearrange import Select
from convatlas.graph.source import Constant, Gather


def filler(tracer: Tracer, *sizes: Any, **more: Any) -> Any:
    """torch.zeros and its like: a stand-in only where a size has an origin."""
    each = listed(sizes) if sizes else tuple(more.get("size", ()))
    if not any(isinstance(size, Dim) for size in each):
        return NotImplemented
    return constant(tracer, each, more.get("dtype") or torch.get_default_dtype())


def new_filler(tracer: Tracer, like: Tensor, *sizes: Any, **more: Any) -> Any:
    """Tensor.new_zeros and its like."""
    each = listed(sizes) if sizes else tuple(more.get("size", ()))
    if each and isinstance(each[0], list | tuple):
        each = tuple(each[0])  # new_full(size, value)
    known = not isinstance(like, Traced) and not tracer.owns(like)
    if known and not any(isinstance(size, Dim) for size in each):
        return NotImplemented
    return constant(tracer, each, more.get("dtype") or like.dtype)


def filler_like(tracer: Tracer, like: Tensor, *_: Any, **more: Any) -> Any:
    """torch.zeros_like and its like."""
    return constant(tracer, tuple(like.shape), more.get("dtype") or like.dtype)


def arange(tracer: Tracer, *bounds: Any, **more: Any) -> Any:
    """torch.arange with a bound that has an origin."""
    if not any(isinstance(bound, Dim) for bound in bounds):
        return NotImplemented
    start, stop, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    length = (stop - start + step - 1) // step
    return constant(tracer, (length,), more.get("dtype") or torch.int64)


def constant(tracer: Tracer, sizes: Sequence[int], dtype: torch.dtype) -> Traced:
    """A stand-in for a tensor that does not depend on the input's values."""
    found = Sizes(sizes, 0)
    shape = tuple(int(size) for size in sizes)
    node = Node(
        operation=Constant(sizes=found.values),
        inputs=tuple(found.nodes),
        data=0,
        path=tracer.path(),
        dtype=str(dtype)[6:],
    )
    return tracer.added(node, shape, dtype, torch.device("cpu"))


def embedding(tracer: Tracer, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> Traced:
    """F.embedding."""
    return tracer.record(Gather(), [weight, input], dtype=weight.dtype)


def index_select(tracer: Tracer, input: Tensor, dim: int, index: Tensor) -> Traced:
    """torch.index_select."""
    return tracer.record(Gather(axis=dim % input.dim()), [input, index], dtype=input.dtype)


def item(tracer: Tracer, input: Tensor, place: Any) -> Any:
    """``x[place]``: integers, slices, ``None``, ``...``, and one tensor of indices."""
    places = place if isinstance(place, tuple) else (place,)
    plain = (int, slice, EllipsisType, type(None), Tensor)
    if not all(isinstance(each, plain) for each in places):
        return NotImplemented
    tensors = [each for each in places if isinstance(each, Tensor)]
    if len(tensors) > 1 or any(each.dtype in (torch.bool, torch.uint8) for each in tensors):
        return NotImplemented
    named = sum(1 for each in places if each is not None and each is not Ellipsis)
    made: Any = input
    axis = 0
    for each in places:
        if each is None:
            made = unsqueeze(tracer, made, axis)
            axis += 1
        elif each is Ellipsis:
            axis += input.dim() - named
        elif isinstance(each, Tensor):
            made = tracer.record(Gather(axis=axis), [made, each], dtype=made.dtype)
            axis += each.dim()
        elif isinstance(each, slice):
            made = sliced(tracer, made, axis, each)
            axis += 1
        else:
            sizes = Sizes([each], 1)
            operation = Select(axis=axis, index=sizes.values[0])
            made = tracer.record(operation, [made], sizes=sizes, alias=True)
    return made


def sliced(tracer: Tracer, input: Any, axis: int, part: slice) -> Any:
    """One slice; a whole one leaves the tensor as it is."""
    if part.start is None and part.stop is None and part.step is None:
        return input
    step = 1 if part.step is None else part.step
    return cut(tracer, input, axis, part.start or 0, part.stop, step)


HANDLERS: dict[object, Handler] = {
    **dict.fromkeys((torch.zeros, torch.ones, torch.empty, torch.rand, torch.randn), filler),
    **dict.fromkeys((Tensor.new_zeros, Tensor.new_ones, Tensor.new_empty), new_filler),
    **dict.fromkeys((Tensor.new_full, Tensor.new_tensor), new_filler),
    **dict.fromkeys(
        forms("zeros_like", "ones_like", "empty_like", "rand_like", "randn_like", "full_like"),
        filler_like,
    ),
    torch.arange: arange,
    F.embedding: embedding,
    **dict.fromkeys(forms("index_select"), index_select),
    Tensor.__getitem__: item,
}
