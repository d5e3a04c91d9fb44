"""A network's graph with its convolutions and linear layers given to the kernel."""

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Graph, GraphModule, Node
from torch.fx.graph import CodeGen

from convatlas.errors import UserError
from convatlas.runtime.engines.split.pattern import (
    POINT,
    Before,
    Window,
    affine,
    after,
    aten,
    before,
    given,
    is_linear,
    is_relu,
    joins_channels,
    only_user,
    parts,
    pixels_of,
    shape_of,
    tensor_of,
    window_of,
)
from convatlas.runtime.engines.split.plan import plan

FEWEST_ROWS = 8  # a linear layer of fewer only reads its weights, which halves do not make less


def rewritten(program: ExportedProgram) -> GraphModule:
    """A module that takes one tensor of the program's shape and returns a tuple of one.

    Batch norms are folded in; additions, ReLUs and concatenations around a convolution are done
    while it reads and writes. Everything else is left to torch, which keeps channels last.
    """
    module = program.module(check_guards=False)
    assert isinstance(module, GraphModule)
    if any(node.target is aten.as_strided.default for node in module.graph.nodes):
        raise UserError("the engine split lays maps out in its own way, which as_strided breaks")
    work = _Rewriting(module)
    for node in list(module.graph.nodes):
        if node.target in (aten.view.default, aten._unsafe_view.default):
            node.target = aten.reshape.default  # a view of channels first may be none of last
        elif joins_channels(node):  # at once, not each part into the next
            node.args = ([*parts(node)], 1)
        elif window := window_of(node):
            work.convolution(node, window)
        elif is_linear(node) and pixels_of(node) >= FEWEST_ROWS:
            work.linear(node)
    module.graph.eliminate_dead_code()
    module.graph.set_codegen(CodeGen())
    plan(module)
    return _with_constants(module)


def rows_as_pixels(x: Tensor) -> Tensor:
    """(..., C) as one map (1, C, rows, 1), channels last: nothing is copied."""
    return x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)


def pixels_as_rows(x: Tensor, shape: list[int]) -> Tensor:
    """Back to (..., K)."""
    return x.permute(0, 2, 3, 1).reshape(shape)


class _Rewriting:
    """A graph that is being changed, and the halves already made in it."""

    def __init__(self, module: GraphModule) -> None:
        self.module, self.graph = module, module.graph
        self.halves: dict[tuple[Before, Window], Node] = {}
        self.constants = 0

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
        halves = self._split(front, window)
        n, _, h, w = shape_of(source)
        shape = (n, weight.shape[1], h, w)
        self._call(back.last, halves, shape, weight, bias, window, back.other, back.relu)

    def linear(self, node: Node) -> None:
        """A linear layer is a 1x1 convolution of one map with a pixel for each row."""
        source, weights, bias_at = (*given(node), None)[:3]
        weight = tensor_of(self.module, weights).double()[:, :, None, None]
        bias = None if bias_at is None else tensor_of(self.module, bias_at).double()
        user = only_user(node)
        relu = user is not None and is_relu(user)
        last = user if relu and user is not None else node
        shape = (1, weight.shape[1], pixels_of(source), 1)
        with self.graph.inserting_before(node):
            pixels = self.graph.call_function(rows_as_pixels, (source,))
        pixels.meta["val"] = source.meta["val"].new_empty(shape)
        halves = self._split(Before((pixels,), None, False), POINT)
        wanted = list(shape_of(node))
        made = self._call(last, halves, shape, weight, bias, POINT, None, relu)
        with self.graph.inserting_after(made):
            back = self.graph.call_function(pixels_as_rows, (made, wanted))
        back.meta = dict(node.meta)
        made.replace_all_uses_with(back, delete_user_cb=lambda user: user is not back)

    def _split(self, front: Before, window: Window) -> Node:
        """The halves of an input, made where its last map is; shared by those who read the same."""
        key = (front, window)
        if key not in self.halves:
            with self.graph.inserting_after(max(front.maps)):
                marker = self.graph.call_function(torch.ops.convatlas_split.split.default)
            with self.graph.inserting_before(marker):
                scale = shift = None
                if front.norm:
                    scale, shift = map(self._constant, affine(self.module, front.norm))
            marker.args = (list(front.maps), window.numbers(), scale, shift, front.relu, None)
            self.halves[key] = marker
        return self.halves[key]

    def _call(  # noqa: PLR0913 - the kernel's own arguments
        self,
        last: Node,
        halves: Node,
        shape: tuple[int, ...],
        weight: Tensor,
        bias: Tensor | None,
        window: Window,
        other: Node | None,
        relu: bool,
    ) -> Node:
        packed = torch.ops.convatlas_split.pack(weight.float(), window.numbers())
        with self.graph.inserting_before(last):
            tiles = self._constant(packed)
            offsets = None if bias is None else self._constant(bias)
            made = self.graph.call_function(
                torch.ops.convatlas_split.conv.default,
                (
                    halves,
                    [*shape],
                    tiles,
                    len(weight),
                    window.numbers(),
                    offsets,
                    other,
                    relu,
                    None,
                ),
            )
        made.meta = dict(last.meta)
        last.replace_all_uses_with(made)
        return made

    def _constant(self, value: Tensor) -> Node:
        """A new constant where the graph is being written."""
        name = f"_split_constant_{self.constants}"
        self.constants += 1
        kept = value.float() if value.dtype is torch.float64 else value
        self.module.register_buffer(name, kept.contiguous())
        return self.graph.get_attr(name)


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
