"""Moving, joining, cutting and reducing as torch calls it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, listed, positive
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Sizes, Tracer
from convatlas.graph.rearrange import (
    Concat,
    Expand,
    Flatten,
    Pad,
    Permute,
    PixelShuffle,
    Reduce,
    Resize,
    Roll,
    Select,
    Slice,
    Squeeze,
    Unsqueeze,
    View,
)


def flatten(tracer: Tracer, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Traced:
    """torch.flatten."""
    return tracer.record(Flatten(first=start_dim, last=end_dim), [input], alias=True)


def unflatten(tracer: Tracer, input: Tensor, dim: int, sizes: Sequence[int]) -> Traced:
    """Tensor.unflatten."""
    shape = list(input.shape)
    axis = dim % len(shape)
    return view(tracer, input, *shape[:axis], *sizes, *shape[axis + 1 :])


def view(tracer: Tracer, input: Tensor, *shape: Any) -> Any:
    """Tensor.view and reshape, with sizes in any form."""
    if shape and isinstance(shape[0], torch.dtype):
        return NotImplemented
    sizes = Sizes(listed(shape), 1)
    return tracer.record(View(sizes=sizes.values), [input], sizes=sizes, alias=True)


def view_as(tracer: Tracer, input: Tensor, other: Tensor) -> Any:
    """Tensor.view_as, reshape_as."""
    return view(tracer, input, *other.shape)


def permute(tracer: Tracer, input: Tensor, *dims: Any) -> Traced:
    """torch.permute."""
    order = positive(listed(dims), input.dim())
    return tracer.record(Permute(order=order), [input], alias=True)


def transpose(tracer: Tracer, input: Tensor, dim0: int, dim1: int) -> Traced:
    """torch.transpose."""
    order = list(range(input.dim()))
    one, other = positive((dim0, dim1), len(order))
    order[one], order[other] = other, one
    return tracer.record(Permute(order=tuple(order)), [input], alias=True)


def turned(tracer: Tracer, input: Tensor) -> Traced:
    """``x.T`` and ``x.mT`` of a matrix or a batch of matrices."""
    return input if input.dim() < 2 else transpose(tracer, input, -2, -1)  # type: ignore[return-value]


def move_axes(tracer: Tracer, input: Tensor, source: Any, destination: Any) -> Traced:
    """torch.movedim."""
    count = input.dim()
    pairs = dict(zip(positive(destination, count), positive(source, count), strict=True))
    rest = iter(axis for axis in range(count) if axis not in pairs.values())
    order = tuple(pairs[axis] if axis in pairs else next(rest) for axis in range(count))
    return tracer.record(Permute(order=order), [input], alias=True)


def expand(tracer: Tracer, input: Tensor, *sizes: Any, implicit: bool = False) -> Traced:
    """Tensor.expand."""
    wanted = Sizes(listed(sizes), 1)
    return tracer.record(Expand(sizes=wanted.values), [input], sizes=wanted, alias=True)


def expand_as(tracer: Tracer, input: Tensor, other: Tensor) -> Traced:
    """Tensor.expand_as."""
    return expand(tracer, input, *other.shape)


def repeat(tracer: Tracer, input: Tensor, *repeats: Any) -> Traced:
    """Tensor.repeat: copies side by side along each axis."""
    times = listed(repeats)
    made: Any = input
    for _ in range(len(times) - input.dim()):
        made = unsqueeze(tracer, made, 0)
    for axis, count in enumerate(times):
        if count != 1:
            made = tracer.record(Concat(axis=axis), [made] * int(count))
    return made  # type: ignore[no-any-return]


def squeeze(tracer: Tracer, input: Tensor, dim: int | Sequence[int] | None = None) -> Traced:
    """torch.squeeze."""
    sizes = [int(size) for size in input.shape]
    every = tuple(axis for axis, size in enumerate(sizes) if size == 1)
    axes = every if dim is None else positive(dim, len(sizes))
    return tracer.record(Squeeze(axes=axes), [input], alias=True)


def unsqueeze(tracer: Tracer, input: Tensor, dim: int) -> Traced:
    """torch.unsqueeze."""
    return tracer.record(Unsqueeze(axis=dim), [input], alias=True)


def cat(tracer: Tracer, tensors: Sequence[Tensor], dim: int = 0) -> Traced:
    """torch.cat; empty one-axis tensors are left out, as torch does."""
    full = [t for t in tensors if t.dim() != 1 or int(t.shape[0]) != 0]
    return tracer.record(Concat(axis=dim), full)


def stack(tracer: Tracer, tensors: Sequence[Tensor], dim: int = 0) -> Traced:
    """torch.stack."""
    return cat(tracer, [unsqueeze(tracer, tensor, dim) for tensor in tensors], dim)


def narrow(tracer: Tracer, input: Tensor, dim: int, start: int, length: int) -> Traced:
    """torch.narrow."""
    return cut(tracer, input, dim, start, start + length)


def cut(
    tracer: Tracer, input: Tensor, axis: int, start: int, stop: int | None, step: int = 1
) -> Traced:
    """``x[…, start:stop:step]`` on one axis."""
    sizes = Sizes([start] if stop is None else [start, stop], 1)
    end = None if stop is None else sizes.values[1]
    operation = Slice(axis=axis, start=sizes.values[0], stop=end, step=step)
    return tracer.record(operation, [input], sizes=sizes, alias=True)


def chunk(tracer: Tracer, input: Tensor, chunks: int, dim: int = 0) -> tuple[Traced, ...]:
    """torch.chunk."""
    size = input.size(dim)
    return split(tracer, input, (size + chunks - 1) // chunks, dim)


def split(
    tracer: Tracer, input: Tensor, split_size: int | Sequence[int], dim: int = 0
) -> tuple[Traced, ...]:
    """torch.split, by one size or several."""
    if isinstance(split_size, int):
        count = -(-int(input.size(dim)) // int(split_size))
        bounds: list[tuple[int, int]] = [
            (split_size * part, split_size * (part + 1)) for part in range(count)
        ]
    else:
        ends = [sum(split_size[: part + 1]) for part in range(len(split_size))]
        bounds = list(zip([0, *ends[:-1]], ends, strict=True))
    return tuple(cut(tracer, input, dim, start, stop) for start, stop in bounds)


def unbind(tracer: Tracer, input: Tensor, dim: int = 0) -> tuple[Traced, ...]:
    """torch.unbind, and iteration over a tensor."""
    return tuple(
        tracer.record(Select(axis=dim, index=index), [input], alias=True)
        for index in range(int(input.size(dim)))
    )


def pad(
    tracer: Tracer,
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Traced:
    """F.pad: from the last axis back."""
    sizes = Sizes(tuple(pad), 1)
    flat = sizes.values
    widths = tuple((flat[i], flat[i + 1]) for i in range(0, len(flat), 2))[::-1]
    return tracer.record(Pad(widths=widths, mode=mode), [input], sizes=sizes)


def roll(tracer: Tracer, input: Tensor, shifts: Any, dims: Any = None) -> Any:
    """torch.roll along named axes."""
    if dims is None or dims == ():
        return NotImplemented
    moves = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    sizes = Sizes(moves, 1)
    axes = positive(dims, input.dim())
    return tracer.record(Roll(shifts=sizes.values, axes=axes), [input], sizes=sizes)


def reduce(
    function: str,
    tracer: Tracer,
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    **more: Any,
) -> Any:
    """Sum, mean, variance … over axes, or over all of them."""
    if isinstance(dim, Tensor):
        return NotImplemented  # torch.max(a, b) compares two
    axes = positive(range(input.dim()) if dim is None or dim == () else dim, input.dim())
    operation = Reduce(function=function, axes=axes, keep=bool(keepdim or more.get("keepdim")))
    dtype = torch.int64 if function in ("argmax", "argmin") else more.get("dtype")
    made = tracer.record(operation, [input], dtype=dtype)
    if function in ("max", "min", "median") and dim is not None:
        return made, tracer.beside(made, torch.int64)
    return made


def interpolate(
    tracer: Tracer,
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Traced:
    """F.interpolate."""
    axes = input.dim() - 2
    aligned = bool(align_corners)
    if size is not None:
        sizes = Sizes((size,) * axes if isinstance(size, int) else tuple(size), 1)
        operation = Resize(mode=mode, sizes=sizes.values, align_corners=aligned)
        return tracer.record(operation, [input], sizes=sizes)
    factors = (scale_factor,) * axes if isinstance(scale_factor, int | float) else scale_factor
    operation = Resize(
        mode=mode, sizes=None, factors=tuple(map(float, factors)), align_corners=aligned
    )
    return tracer.record(operation, [input])


def pixel_shuffle(inverse: bool, tracer: Tracer, input: Tensor, factor: int) -> Traced:
    """F.pixel_shuffle, F.pixel_unshuffle."""
    return tracer.record(PixelShuffle(factor=factor, inverse=inverse), [input])


def forms(*names: str) -> tuple[object, ...]:
    """Functions of torch and methods of its tensors by name."""
    return tuple(
        getattr(place, name) for name in names for place in (torch, Tensor) if hasattr(place, name)
    )


REDUCTIONS = (
    *("sum", "mean", "amax", "amin", "max", "min", "median", "prod", "std", "var", "argmax"),
    *("argmin", "any", "all", "norm", "logsumexp"),
)
HANDLERS: dict[object, Handler] = {
    **dict.fromkeys(forms("flatten"), flatten),
    **dict.fromkeys(forms("unflatten"), unflatten),
    **dict.fromkeys(forms("view", "reshape"), view),
    **dict.fromkeys(forms("view_as", "reshape_as"), view_as),
    **dict.fromkeys(forms("permute"), permute),
    **dict.fromkeys(forms("transpose", "swapaxes", "swapdims"), transpose),
    **dict.fromkeys(forms("t"), turned),
    Tensor.T.__get__: turned,  # type: ignore[attr-defined]
    Tensor.mT.__get__: turned,  # type: ignore[attr-defined]
    **dict.fromkeys(forms("movedim", "moveaxis"), move_axes),
    **dict.fromkeys(forms("expand"), expand),
    **dict.fromkeys(forms("expand_as"), expand_as),
    **dict.fromkeys(forms("repeat"), repeat),
    **dict.fromkeys(forms("squeeze"), squeeze),
    **dict.fromkeys(forms("unsqueeze"), unsqueeze),
    **dict.fromkeys(forms("cat", "concat", "concatenate"), cat),
    **dict.fromkeys(forms("stack"), stack),
    **dict.fromkeys(forms("narrow"), narrow),
    **dict.fromkeys(forms("chunk"), chunk),
    **dict.fromkeys(forms("split", "split_with_sizes"), split),
    **dict.fromkeys((*forms("unbind"), Tensor.__iter__), unbind),
    F.pad: pad,
    **dict.fromkeys(forms("roll"), roll),
    **{form: partial(reduce, name) for name in REDUCTIONS for form in forms(name)},
    F.interpolate: interpolate,
    F.upsample: interpolate,
    F.pixel_shuffle: partial(pixel_shuffle, False),
    F.pixel_unshuffle: partial(pixel_shuffle, True),
}
