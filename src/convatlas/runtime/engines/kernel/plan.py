"""Memory for the kernel's results: given once, and used again as soon as it is free."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch.fx import GraphModule, Node

from convatlas.runtime.engines.kernel.constants import register
from convatlas.runtime.engines.kernel.library import Kernel
from convatlas.runtime.engines.kernel.pattern import POINT, aten, given, operation, shape_of

# Operations of torch whose result never lies in their input's memory; any other might be a view.
FRESH = (
    *(aten.adaptive_avg_pool2d.default, aten.add.Tensor, aten.avg_pool2d.default),
    *(aten.avg_pool3d.default, aten.cat.default, aten.convolution.default, aten.conv2d.default),
    *(aten.div.Tensor, aten.gelu.default, aten.layer_norm.default, aten.linear.default),
    *(aten.matmul.default, aten.max_pool2d.default, aten.mean.dim, aten.mul.Tensor),
    *(aten.pow.Tensor_Scalar, aten.relu.default, aten.sigmoid.default, aten.softmax.int),
)

# The kernel's operations whose result may be packed, and the axis of their channels.
AXES = {
    **dict.fromkeys(("conv", "pooled", "scaled"), 1),
    **dict.fromkeys(("attention", "linear", "rows"), -1),
}


@dataclass(slots=True)
class _Rooms:
    """Sizes in bytes of the rooms taken so far, and which of them are free."""

    sizes: list[int] = field(default_factory=list)
    free: set[int] = field(default_factory=set)

    def take(self, size: int) -> int:
        """The smallest free room that holds ``size``, or the largest one made larger."""
        fitting = [room for room in self.free if self.sizes[room] >= size]
        if fitting:
            room = min(fitting, key=lambda each: self.sizes[each])
        elif self.free:
            room = max(self.free, key=lambda each: self.sizes[each])
            self.sizes[room] = size
        else:
            room = len(self.sizes)
            self.sizes.append(size)
        self.free.discard(room)
        return room


def plan(module: GraphModule, kernel: Kernel) -> None:
    """Give every result of the kernel a room as its last argument; rooms are buffers.

    A graph so planned runs one call at a time, and its result must be copied before the next.
    """
    order = {node: place for place, node in enumerate(module.graph.nodes)}
    rooms, of = _Rooms(), dict[Node, int]()
    leaving: dict[int, list[int]] = {}
    for node, place in order.items():
        if size := _size(node, kernel):
            of[node] = rooms.take(size)
            leaving.setdefault(_last_use(node, order), []).append(of[node])
        rooms.free |= set(leaving.pop(place, ()))
    made = [register(module, torch.empty(size, dtype=torch.uint8)) for size in rooms.sizes]
    for node, room in of.items():
        with module.graph.inserting_before(node):
            node.args = (*node.args[:-1], module.graph.get_attr(made[room]))


def _size(node: Node, kernel: Kernel) -> int:
    """Bytes of a kernel's result; 0 for any other operation."""
    name = operation(node)
    if name == "pack_maps":
        maps, window = given(node)[:2]
        n, _, h, w = shape_of(maps[0])
        channels = sum(shape_of(each)[1] for each in maps)
        return kernel.room([n, channels, h, w], window)
    if name not in AXES:
        return 0
    count, channels = math.prod(shape_of(node)), shape_of(node)[AXES[name]]
    if name == "rows" or (name != "scaled" and node.args[-2]):
        return kernel.room([1, channels, count // channels, 1], POINT.numbers())
    return 4 * count


def _last_use(node: Node, order: dict[Node, int]) -> int:
    """The place of the last operation that may read a result, through views of it too."""
    return max((order[reader] for reader in _readers(node)), default=order[node])


def _readers(node: Node) -> Iterator[Node]:
    for user in node.users:
        yield user
        if user.target not in FRESH and operation(user) is None:
            yield from _readers(user)
