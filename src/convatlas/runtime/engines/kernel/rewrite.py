"""A network's graph with its convolutions and linear layers given to the kernel."""

from itertools import pairwise

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.fx import Graph, GraphModule, Node
from torch.fx.graph import CodeGen

from convatlas.errors import UserError
from convatlas.runtime.engines.kernel.attention import LANES, attention_of
from convatlas.runtime.engines.kernel.constants import fold, register
from convatlas.runtime.engines.kernel.library import Kernel
from convatlas.runtime.engines.kernel.pattern import (
    POINT,
    Before,
    Window,
    affine,
    after,
    aten,
    before,
    gated,
    given,
    is_linear,
    is_pool,
    joins_channels,
    layer_affine,
    operation,
    parts,
    pixels_of,
    shape_of,
    summed,
    tensor_of,
    window_of,
)
from convatlas.runtime.engines.kernel.plan import plan
from convatlas.runtime.engines.kernel.rows import read, written

FEWEST_ROWS = 8  # a linear layer of fewer only reads its weights, which no packing makes less


def rewritten(program: ExportedProgram, kernel: Kernel) -> GraphModule:
    """A module that takes one tensor of the program's shape and returns a tuple of one.

    Batch norms are folded in; additions, curves and concatenations around a convolution are done
    while it reads and writes, and so are norms and moves of rows around a linear layer. Everything
    else is left to torch, which keeps channels last.
    """
    module = program.module(check_guards=False)
    assert isinstance(module, GraphModule)
    if any(node.target is aten.as_strided.default for node in module.graph.nodes):
        raise UserError("the kernel lays maps out in its own way, which as_strided breaks")
    fold(module)
    module.graph.eliminate_dead_code()
    work = _Rewriting(module, kernel)
    for node in list(module.graph.nodes):
        if node.target in (aten.view.default, aten._unsafe_view.default):
            node.target = aten.reshape.default  # a view of channels first may be none of last
        elif joins_channels(node):  # at once, not each part into the next
            node.args = ([*parts(node)], 1)
        elif window := window_of(node):
            work.convolution(node, window)
        elif is_linear(node) and pixels_of(node) >= FEWEST_ROWS:
            work.linear(node)
        elif node.target is aten.softmax.int:
            work.attention(node)
        elif is_pool(node):
            work.pool(node)
        elif found := gated(node):
            work.gate(node, *found)
    module.graph.eliminate_dead_code(lambda node: node.op in ("placeholder", "output"))
    module.graph.set_codegen(CodeGen())
    plan(module, kernel)
    return _with_constants(module)


class _Rewriting:
    """A graph that is being changed, and the maps already packed in it."""

    def __init__(self, module: GraphModule, kernel: Kernel) -> None:
        self.module, self.graph = module, module.graph
        self.kernel = kernel.operations
        self.packed: dict[tuple[Before, Window], Node] = {}
        self.rows: dict[Node, Node] = {}

    def convolution(self, node: Node, window: Window) -> None:
        """Put a kernel's call in place of a convolution with what is around it."""
        source, weights, bias_at = (*given(node), None)[:3]
        front, back = before(source), after(node)
        weight = tensor_of(self.module, weights).double()
        bias = None if bias_at is None else tensor_of(self.module, bias_at).double()
        if back.norm:
            scale, shift = affine(self.module, back.norm)
            weight = weight * scale[:, None, None, None]
            bias = shift if bias is None else bias * scale + shift
        n, _, h, w = shape_of(source)
        with self.graph.inserting_before(back.last):
            args = (
                *(self._packed(front, window, node), [n, weight.shape[1], h, w]),
                self._weights(weight.float(), [n, weight.shape[1], h, w], window),
                *(len(weight), window.numbers()),
                None if bias is None else self._constant(bias),
                *(back.other, back.curve, False, None),
            )
            made = self.graph.call_function(self.kernel.conv.default, args)
        self._replace(back.last, made)

    def linear(self, node: Node) -> None:
        """Put a kernel's call in place of a linear layer with what is around it."""
        x, weights, bias_at = (*given(node), None)[:3]
        back = written(node)
        weight = tensor_of(self.module, weights)
        packed = self._rows(x, node)
        with self.graph.inserting_before(back.last):
            args = (
                *(packed, pixels_of(x), weight.shape[1]),
                self._weights(
                    weight[:, :, None, None], [1, weight.shape[1], pixels_of(x), 1], POINT
                ),
                [*shape_of(back.last)],
                None if bias_at is None else self._constant(tensor_of(self.module, bias_at)),
                back.other,
                None if back.place is None else self._constant(back.place),
                *(back.curve, False, None),
            )
            made = self.graph.call_function(self.kernel.linear.default, args)
        self._replace(back.last, made)

    def attention(self, softmax: Node) -> None:
        """Put a kernel's call in place of attention, if it is one."""
        found = attention_of(self.module, softmax)
        if found is None:
            return
        with self.graph.inserting_before(found.last):
            table = self._constant(found.table)
            more = None if found.added is None else self._constant(found.added)
            size = [*shape_of(found.last)]
            args = (found.source, table, found.sizes, found.scale, more, size, False, None)
            made = self.graph.call_function(self.kernel.attention.default, args)
        self._replace(found.last, made)

    def pool(self, node: Node) -> None:
        """Means over whole maps."""
        with self.graph.inserting_before(node):
            made = self.graph.call_function(
                self.kernel.pooled.default, (given(node)[0], False, None)
            )
        self._replace(node, made)

    def gate(self, node: Node, x: Node, factors: Node) -> None:
        """Maps times a number for each channel, and what is done to them next."""
        back = summed(node)
        with self.graph.inserting_before(back.last):
            args = (x, factors, back.other, back.curve, None)
            made = self.graph.call_function(self.kernel.scaled.default, args)
        self._replace(back.last, made)

    def _rows(self, x: Node, reader: Node) -> Node:
        """The rows that a linear layer reads, packed; shared by those who read the same."""
        if x in self.rows:
            return self.rows[x]
        front = read(x)
        plain = front.table is None and front.norm is None
        makers = (self.kernel.linear.default, self.kernel.attention.default)
        if plain and _packing(front.source, makers, (*front.chain, reader)):
            return front.source
        with self.graph.inserting_before(reader):
            table = None if front.table is None else self._constant(front.table)
            gain = shift = None
            eps = 0.0
            if front.norm:
                *figures, eps = layer_affine(self.module, front.norm)
                gain, shift = map(self._constant, figures)
            args = (front.source, table, gain, shift, eps, None)
            made = self.rows[x] = self.graph.call_function(self.kernel.rows.default, args)
        made.meta["val"] = x.meta["val"]
        return made

    def _packed(self, front: Before, window: Window, reader: Node) -> Node:
        """An input packed where its last map is made; shared by those who read the same."""
        plain = window == POINT and front == Before(front.maps[:1], None, False)
        makers = (self.kernel.conv.default, self.kernel.pooled.default)
        if plain and _packing(front.maps[0], makers, (reader,)):
            return front.maps[0]
        key = (front, window)
        if key not in self.packed:
            with self.graph.inserting_after(max(front.maps)):
                marker = self.graph.call_function(self.kernel.pack_maps.default)
            with self.graph.inserting_before(marker):
                scale = shift = None
                if front.norm:
                    scale, shift = map(self._constant, affine(self.module, front.norm))
            marker.args = (list(front.maps), window.numbers(), scale, shift, front.relu, None)
            self.packed[key] = marker
        return self.packed[key]

    def _weights(self, weight: Tensor, shape: list[int], window: Window) -> Node:
        """A layer's weights as the kernel wants them for maps of a shape."""
        return self._constant(self.kernel.pack_weights(weight, shape, window.numbers()))

    def _replace(self, last: Node, made: Node) -> None:
        """Let all read a kernel's call instead of the last operation it does."""
        made.meta = dict(last.meta)
        last.replace_all_uses_with(made)

    def _constant(self, value: Tensor) -> Node:
        """A new constant where the graph is being written."""
        kept = value.float() if value.dtype is torch.float64 else value
        return self.graph.get_attr(register(self.module, kept.contiguous()))


def _packing(maker: Node, makers: tuple[OpOverload, ...], readers: tuple[Node, ...]) -> bool:
    """Let a kernel's call pack its result for its one reader; whether it is one that can.

    ``makers``: those whose result lies along the axis that is read: channels of maps, or rows.
    ``readers``: what moves the result without changing its rows, and then the reader.
    """
    if maker.target not in makers:
        return False
    if operation(maker) == "attention" and shape_of(maker)[-1] % LANES:
        return False  # groups of channels that no head fills
    if any(list(each.users) != [reader] for each, reader in pairwise((maker, *readers))):
        return False
    *others, _, room = maker.args
    maker.args = (*others, True, room)
    return True


def _with_constants(module: GraphModule) -> GraphModule:
    """The same graph, holding only the constants it still reads."""
    kept: dict[str, Tensor] = {}
    graph = Graph()
    for node in module.graph.nodes:
        if node.op == "get_attr":
            kept[str(node.target)] = tensor_of(module, node)
    result = graph.graph_copy(module.graph, {})
    graph.output(result)
    root = torch.nn.Module()
    names = {name: f"constant_{number}" for number, name in enumerate(kept)}
    for name, value in kept.items():
        root.register_buffer(names[name], value)
    for node in graph.nodes:
        if node.op == "get_attr":
            node.target = names[str(node.target)]
    graph.lint()
    return GraphModule(root, graph)
