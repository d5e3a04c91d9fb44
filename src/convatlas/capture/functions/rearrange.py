"""Moving, joining, cutting and reducing as torch calls it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, forms, listed, positive, several
from convatlas.capture.dim import Dim, Sizes
from convatlas.capture.traced import Traced, lengths
from convatlas.capture.tracer import Tracer
from convatlas.graph.pointwise import Activation, Arithmetic
from convatlas.graph.rearrange import (
    Concat,
    Expand,
    Flatten,
    Pad,
    Permute,
    PixelShuffle,
    Resize,
    Roll,
    Select,
    Slice,
    Squeeze,
    Unsqueeze,
    View,
)
from convatlas.graph.unfold import Fold, Unfold


def flatten(tracer: Tracer, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Traced:
    """torch.flatten."""
    return tracer.record(Flatten(first=start_dim, last=end_dim), [input], alias=True)


def unflatten(tracer: Tracer, input: Tensor, dim: int, sizes: Sequence[int]) -> Traced:
    """Tensor.unflatten."""
    shape = list(input.shape)
    axis = dim % len(shape)
    return view(tracer, input, *shape[:axis], *sizes, *shape[axis + 1 :])


def view(tracer: Tracer, input: Tensor, *shape: Any, **more: Any) -> Any:
    """Tensor.view and reshape, with sizes in any form."""
    if shape and isinstance(shape[0], torch.dtype):
        return NotImplemented
    sizes = Sizes(listed(shape or tuple(more.values())), 1)
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
    if input.dim() < 2:
        return tracer.stand_in(input)
    return transpose(tracer, input, -2, -1)


def move_axes(tracer: Tracer, input: Tensor, source: Any, destination: Any) -> Traced:
    """torch.movedim."""
    count = input.dim()
    pairs = dict(zip(positive(destination, count), positive(source, count), strict=True))
    rest = iter(axis for axis in range(count) if axis not in pairs.values())
    order = tuple(pairs[axis] if axis in pairs else next(rest) for axis in range(count))
    return tracer.record(Permute(order=order), [input], alias=True)


def expand(
    tracer: Tracer, input: Tensor, *sizes: Any, implicit: bool = False, alias: bool = True
) -> Traced:
    """Tensor.expand; without ``alias`` the copies are made."""
    wanted = Sizes(listed(sizes), 1)
    return tracer.record(Expand(sizes=wanted.values), [input], sizes=wanted, alias=alias)


def expand_as(tracer: Tracer, input: Tensor, other: Tensor) -> Traced:
    """Tensor.expand_as."""
    return expand(tracer, input, *other.shape)


def repeat(tracer: Tracer, input: Tensor, *repeats: Any) -> Traced:
    """Tensor.repeat: copies side by side; an axis of 1 is stretched, whatever the number."""
    times = listed(repeats)
    made = tracer.stand_in(input)
    for _ in range(len(times) - input.dim()):
        made = unsqueeze(tracer, made, 0)
    single = [size == 1 for size in made.lengths]
    if any(one and (isinstance(n, Dim) or n != 1) for one, n in zip(single, times, strict=True)):
        stretched = [n if one else -1 for one, n in zip(single, times, strict=True)]
        made = expand(tracer, made, *stretched, alias=False)
    for axis, (one, count) in enumerate(zip(single, times, strict=True)):
        if not one and count != 1:
            made = tracer.record(Concat(axis=axis), [made] * int(count))
    return made


def squeeze(tracer: Tracer, input: Tensor, dim: int | Sequence[int] | None = None) -> Traced:
    """torch.squeeze."""
    axes = range(input.dim()) if dim is None else dim
    gone = tuple(axis for axis in positive(axes, input.dim()) if input.shape[axis] == 1)
    return tracer.record(Squeeze(axes=gone), [input], alias=True)


def unsqueeze(tracer: Tracer, input: Tensor, dim: int) -> Traced:
    """torch.unsqueeze."""
    return tracer.record(Unsqueeze(axis=dim), [input], alias=True)


def cat(tracer: Tracer, tensors: Sequence[Tensor], dim: int = 0, **more: Any) -> Traced:
    """torch.cat; empty one-axis tensors are left out, as torch does."""
    dim = more.get("axis", dim)
    full = [t for t in tensors if t.dim() != 1 or lengths(t)[0] != 0]
    dtype = full[0].dtype
    for tensor in full[1:]:
        dtype = dtype if tensor.dtype == dtype else torch.promote_types(dtype, tensor.dtype)
    return tracer.record(Concat(axis=dim), full, dtype=dtype)


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
        count = int(-(-input.size(dim) // split_size))
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


def interpolate(  # noqa: PLR0913 - torch's own signature
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


def glu(tracer: Tracer, input: Tensor, dim: int = -1) -> Traced:
    """F.glu: one half times the sigmoid of the other."""
    kept, gate = chunk(tracer, input, 2, dim)
    gate = tracer.record(Activation(function="sigmoid"), [gate])
    return tracer.record(Arithmetic(function="mul"), [kept, gate])


def pixel_shuffle(inverse: bool, tracer: Tracer, input: Tensor, factor: int) -> Traced:
    """F.pixel_shuffle, F.pixel_unshuffle."""
    return tracer.record(PixelShuffle(factor=factor, inverse=inverse), [input])


def unfold(
    tracer: Tracer,
    input: Tensor,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Traced:
    """F.unfold."""
    operation = Unfold(
        kernel=several(kernel_size, 2),
        stride=several(stride, 2),
        padding=tuple((side, side) for side in several(padding, 2)),
        dilation=several(dilation, 2),
    )
    return tracer.record(operation, [input])


def fold(
    tracer: Tracer,
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Traced:
    """F.fold."""
    size = (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
    sizes = Sizes(size, 1)
    operation = Fold(
        size=sizes.values,
        kernel=several(kernel_size, 2),
        stride=several(stride, 2),
        padding=tuple((side, side) for side in several(padding, 2)),
        dilation=several(dilation, 2),
    )
    return tracer.record(operation, [input], sizes=sizes)


HANDLERS: dict[object, Handler] = {
    **dict.fromkeys(forms("flatten"), flatten),
    **dict.fromkeys(forms("unflatten"), unflatten),
    **dict.fromkeys(forms("view", "reshape"), view),
    **dict.fromkeys(forms("view_as", "reshape_as"), view_as),
    **dict.fromkeys(forms("permute"), permute),
    **dict.fromkeys(forms("transpose", "swapaxes", "swapdims"), transpose),
    **dict.fromkeys(forms("t"), turned),
    **{vars(torch._C.TensorBase)[name].__get__: turned for name in ("T", "mT")},
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
    F.glu: glu,
    F.unfold: unfold,
    F.fold: fold,
    F.interpolate: interpolate,
    F.upsample: interpolate,
    F.pixel_shuffle: partial(pixel_shuffle, False),
    F.pixel_unshuffle: partial(pixel_shuffle, True),
}
