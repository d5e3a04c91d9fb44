"""Fillers, tables and indexing as torch calls them."""

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, forms, listed
from convatlas.capture.dim import Dim, Sizes
from convatlas.capture.functions.rearrange import cut, unsqueeze
from convatlas.capture.traced import Traced, lengths
from convatlas.capture.tracer import Tracer
from convatlas.graph.rearrange import Select
from convatlas.graph.source import Gather


def filler(tracer: Tracer, *sizes: Any, **more: Any) -> Any:
    """torch.zeros and its like: a stand-in only where a size has an origin."""
    each = listed(sizes) if sizes else tuple(more.get("size", ()))
    if not any(isinstance(size, Dim) for size in each):
        return NotImplemented
    return _filled(tracer, each, more, torch.get_default_dtype())


def full(tracer: Tracer, size: Any, fill_value: Any, **more: Any) -> Any:
    """torch.full."""
    if not any(isinstance(each, Dim) for each in size):
        return NotImplemented
    kinds = {bool: torch.bool, int: torch.int64}
    return _filled(tracer, size, more, kinds.get(type(fill_value), torch.get_default_dtype()))


def new_filler(tracer: Tracer, like: Tensor, *sizes: Any, **more: Any) -> Any:
    """Tensor.new_zeros and its like."""
    each = listed(sizes) if sizes else tuple(more.get("size", ()))
    if each and isinstance(each[0], list | tuple):
        each = tuple(each[0])  # new_full(size, value)
    if not isinstance(like, Traced) and not any(isinstance(size, Dim) for size in each):
        return NotImplemented
    return _filled(tracer, each, {"device": like.device} | more, like.dtype)


def filler_like(tracer: Tracer, like: Tensor, *_: Any, **more: Any) -> Any:
    """torch.zeros_like and its like."""
    if not isinstance(like, Traced):
        return NotImplemented
    return _filled(tracer, like.shape, {"device": like.device} | more, like.dtype)


def arange(tracer: Tracer, *bounds: Any, **more: Any) -> Any:
    """torch.arange with a bound that has an origin."""
    whole = all(isinstance(bound, int) for bound in bounds)
    if not whole or not any(isinstance(bound, Dim) for bound in bounds):
        return NotImplemented
    start, stop, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    length = (stop - start + step - 1) // step
    return _filled(tracer, (length,), more, torch.int64)


def linspace(tracer: Tracer, start: Any, end: Any, steps: Any, **more: Any) -> Any:
    """torch.linspace with a number of steps that has an origin."""
    if not isinstance(steps, Dim):
        return NotImplemented
    return _filled(tracer, (steps,), more, torch.get_default_dtype())


def eye(tracer: Tracer, n: int, m: int | None = None, **more: Any) -> Any:
    """torch.eye."""
    return filler(tracer, n, n if m is None else m, **more)


def _filled(
    tracer: Tracer, sizes: Sequence[int], more: dict[str, Any], dtype: torch.dtype
) -> Traced:
    device = more.get("device") or torch.get_default_device()
    return tracer.constant(sizes, more.get("dtype") or dtype, torch.device(device))


def embedding(tracer: Tracer, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> Traced:
    """F.embedding."""
    return tracer.record(Gather(), [weight, input], dtype=weight.dtype)


def index_select(tracer: Tracer, input: Tensor, dim: int, index: Tensor) -> Traced:
    """torch.index_select."""
    return tracer.record(Gather(axis=dim % input.dim()), [input, index], dtype=input.dtype)


def item(tracer: Tracer, input: Tensor, place: Any) -> Any:
    """``x[place]``: integers, slices, ``None``, ``...``, and one tensor of indices."""
    places = place if isinstance(place, tuple) else (place,)
    if not all(isinstance(each, PLACES) and not isinstance(each, bool) for each in places):
        return NotImplemented
    tensors = [each for each in places if isinstance(each, Tensor)]
    if len(tensors) > 1 or any(each.dtype in (torch.bool, torch.uint8) for each in tensors):
        return NotImplemented
    if any(isinstance(each, slice) and (each.step or 1) < 1 for each in places):
        return NotImplemented
    made: Any = input
    axis = 0
    for each in places:
        if each is None:
            made = unsqueeze(tracer, made, axis)
            axis += 1
        elif each is Ellipsis:
            named = sum(1 for one in places if one is not None and one is not Ellipsis)
            axis += input.dim() - named
        elif isinstance(each, Tensor):
            made = tracer.record(Gather(axis=axis), [made, each], dtype=made.dtype)
            axis += each.dim()
        elif isinstance(each, slice):
            made = sliced(tracer, made, axis, each)
            axis += 1
        else:
            made = selected(tracer, made, axis, each)
    return made


PLACES = (int, slice, EllipsisType, type(None), Tensor)


def selected(tracer: Tracer, input: Any, axis: int, index: int) -> Traced:
    """One position. The last one by a plain number may be the end of a loop over the axis."""
    if not isinstance(index, Dim) and index == lengths(input)[axis] - 1 > 0:
        int(input.shape[axis])
    sizes = Sizes([index], 1)
    operation = Select(axis=axis, index=sizes.values[0])
    return tracer.record(operation, [input], sizes=sizes, alias=True)


def select(tracer: Tracer, input: Tensor, dim: int, index: int) -> Traced:
    """torch.select."""
    return selected(tracer, input, dim % input.dim(), index)


def sliced(tracer: Tracer, input: Any, axis: int, part: slice) -> Any:
    """One slice; a whole one leaves the tensor as it is. The last position as in `selected`."""
    if part.start is None and part.stop is None and part.step is None:
        return input
    if not isinstance(part.stop, Dim) and part.stop == lengths(input)[axis]:
        int(input.shape[axis])
    step = 1 if part.step is None else part.step
    return cut(tracer, input, axis, 0 if part.start is None else part.start, part.stop, step)


FILLERS: dict[object, Handler] = {
    **dict.fromkeys((torch.zeros, torch.ones, torch.empty, torch.rand, torch.randn), filler),
    torch.full: full,
    **dict.fromkeys((Tensor.new_zeros, Tensor.new_ones, Tensor.new_empty), new_filler),
    Tensor.new_full: new_filler,
    torch.arange: arange,
    torch.linspace: linspace,
    torch.eye: eye,
}
HANDLERS: dict[object, Handler] = {
    **dict.fromkeys(
        forms("zeros_like", "ones_like", "empty_like", "rand_like", "randn_like", "full_like"),
        filler_like,
    ),
    F.embedding: embedding,
    **dict.fromkeys(forms("index_select"), index_select),
    **dict.fromkeys(forms("select"), select),
    Tensor.__getitem__: item,
}
