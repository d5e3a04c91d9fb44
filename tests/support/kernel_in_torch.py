"""Our own kernel in plain torch, for machines that can run none of its kinds.

What is packed are the float32 numbers as they are, in the caller's room as the kernel's, so that
graphs and the plan of their memory are tested everywhere; only the kernel's own errors are not.
"""

import math
import re
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.runtime.engines.kernel.library import AVX512, FOLDER, SPLIT, Kernel, lacking

# The fastest that runs here; where none does, the first is registered in torch.
HERE = next((kernel for kernel in (SPLIT, AVX512) if lacking(kernel) is None), SPLIT)

CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": torch.clone,
    "relu": torch.relu,
    "gelu": F.gelu,
    "sigmoid": torch.sigmoid,
}


@cache
def register(kernel: Kernel) -> torch.library.Library:
    """Make the operations there, with the schemas that the kernel declares."""
    library = torch.library.Library(f"convatlas_{kernel.name}", "DEF")
    source = re.sub(r'"\s*"', "", (FOLDER / "kernel.cpp").read_text())  # joins broken texts
    for schema in re.findall(r'm\.def\(\s*"([^"]+)"', source):
        name = library.define(schema).split("::")[-1]
        library.impl(name, globals()[name], "CompositeImplicitAutograd")
    return library


def permitted() -> bool:
    return True


def pack_weights(weight: Tensor, shape: list[int], window: list[int]) -> Tensor:
    return weight.clone()


def bytes(shape: list[int], window: list[int]) -> int:
    return 4 * math.prod(shape)


def pack_maps(
    maps: list[Tensor],
    window: list[int],
    scale: Tensor | None,
    shift: Tensor | None,
    relu: bool,
    room: Tensor | None,
) -> Tensor:
    x = torch.cat(maps, 1)
    if scale is not None and shift is not None:
        x = x * scale[:, None, None] + shift[:, None, None]
    return kept(x.relu() if relu else x, room).flatten()


def rows(
    x: Tensor,
    table: Tensor | None,
    gain: Tensor | None,
    shift: Tensor | None,
    eps: float,
    room: Tensor | None,
) -> Tensor:
    found = x.reshape(-1, x.shape[-1])
    if table is not None:
        zeros = torch.zeros(1, x.shape[-1])
        found = torch.cat((found, zeros))[table.clamp(min=-1).long()].flatten(1)
    if gain is not None:
        found = F.layer_norm(found, gain.shape, gain, shift, eps)
    if table is not None:
        found = torch.where(table[:, :1] == -2, 0, found)
    return kept(found, room).flatten()


def conv(
    packed: Tensor,
    shape: list[int],
    weights: Tensor,
    filters: int,
    window: list[int],
    bias: Tensor | None,
    other: Tensor | None,
    curve: str,
    packing: bool,
    room: Tensor | None,
) -> Tensor:
    *_, stride, top, left, dilation = window
    x = F.conv2d(packed.reshape(shape), weights, bias, stride, (top, left), dilation)
    assert x.shape[1] == filters
    made = kept(CURVES[curve](x if other is None else x + other), room)
    return made.flatten() if packing else made


def linear(
    packed: Tensor,
    rows: int,
    width: int,
    weights: Tensor,
    size: list[int],
    bias: Tensor | None,
    other: Tensor | None,
    place: Tensor | None,
    curve: str,
    packing: bool,
    room: Tensor | None,
) -> Tensor:
    x = F.linear(packed.reshape(rows, width), weights[:, :, 0, 0], bias)
    if place is not None:
        found = x.new_full((math.prod(size) // size[-1], size[-1]), float("nan"))
        found[place[place >= 0].long()] = x[place >= 0]
        x = found
    x = x.reshape(size)
    made = kept(CURVES[curve](x if other is None else x + other), room)
    return made.flatten() if packing else made


def attention(
    x: Tensor,
    table: Tensor,
    sizes: list[int],
    scale: float,
    added: Tensor | None,
    size: list[int],
    packing: bool,
    room: Tensor | None,
) -> Tensor:
    queries, keys, depth, values, *steps = sizes
    counts = ((queries, depth), (keys, depth), (keys, values), (queries, values))
    *of, goes = (
        table[:, i, None, None] + torch.arange(count)[:, None] * steps[i] + torch.arange(width)
        for i, (count, width) in enumerate(counts)
    )
    q, k, v = (x.flatten()[each] for each in of)
    scores = scale * q @ k.mT
    if added is not None:
        scores = scores + added[table[:, 4]]
    found = x.new_full((math.prod(size),), float("nan"))
    found[goes.flatten()] = (scores.softmax(-1) @ v).flatten()
    made = kept(found.reshape(size), room)
    return made.flatten() if packing else made


def pooled(x: Tensor, packing: bool, room: Tensor | None) -> Tensor:
    made = kept(x.mean((2, 3), keepdim=True), room)
    return made.flatten() if packing else made


def scaled(
    x: Tensor, gate: Tensor, other: Tensor | None, curve: str, room: Tensor | None
) -> Tensor:
    product = x * gate
    return kept(CURVES[curve](product if other is None else product + other), room)


def kept(x: Tensor, room: Tensor | None) -> Tensor:
    """A result in the caller's memory, or in new memory."""
    if room is None:
        return x.contiguous()
    return room[: 4 * x.numel()].view(torch.float32).view(x.shape).copy_(x)
