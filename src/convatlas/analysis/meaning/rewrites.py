"""Rewrites: an item read with those above it, as another item or as an earlier one.

Padding and bias belong to the layer they are for, nested concatenations are one, a mean over
positions is a global pool, a picture cut into its channels and put together again is a transform.
"""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Protocol

from convatlas.analysis.meaning.interleave import stacked, stepped
from convatlas.analysis.meaning.item import COMMUTE, Item
from convatlas.analysis.meaning.layout import Layout
from convatlas.analysis.meaning.roles import GLOBAL, Value, meaning, pooling
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.rearrange import Concat, Expand, Reduce, Slice


class Net(Protocol):
    """A graph whose items are being made."""

    graph: Graph
    shapes: tuple[Shape, ...]
    items: list[Item]
    at: list[int]  # the item that stands for each node

    def shape_of(self, item: Item) -> Shape:
        """The shape of what an item's last node reads."""


Rewrite = Callable[[Net, Item], Item | int]


def _idle(net: Net, item: Item) -> Item | int:
    """Dropout of nothing, padding of nothing, concatenation of one."""
    idle = (
        (item.role == "dropout" and item.get("p") == 0)
        or (item.role == "pad" and not any(map(any, item.get("padding"))))
        or (item.role == "concatenation" and len(item.inputs) == 1)
    )
    return item.inputs[0] if idle else item


def _padded(net: Net, item: Item) -> Item:
    """Padding with zeros, or a mirror, is part of the convolution that reads it."""
    before = net.items[item.inputs[0]] if item.inputs else item
    if before.role != "pad" or item.role not in ("convolution", "pooling"):
        return item
    widths, mode = before.get("padding"), before.get("border")
    padding, axes = item.get("padding"), len(item.shape) - 2
    border = {"constant": "zeros"}.get(mode, mode)
    wider = widths[: len(widths) - axes]
    mixed = border != item.get("border") and padding is not None and any(map(any, padding))
    averaged = item.role == "pooling" and (border, item.get("kind")) != ("zeros", "avg")
    if padding is None or any(map(any, wider)) or mixed or averaged or len(widths) < axes:
        return item
    pairs = zip(padding, widths[-axes:], strict=True)
    total = tuple((p[0] + w[0], p[1] + w[1]) for p, w in pairs)
    changes: dict[str, Value] = {"padding": total}
    changes |= {"border": border} if item.role == "convolution" else {"includes padding": True}
    settings = tuple((key, changes.get(key, old)) for key, old in item.settings)
    return replace(
        item,
        settings=settings,
        inputs=(before.inputs[0], *item.inputs[1:]),
        nodes=before.nodes + item.nodes,
    )


def _biased(net: Net, item: Item) -> Item:
    """A trained value for each map, added to a layer without bias, is its bias."""
    if item.role != "addition" or len(item.inputs) != 2:
        return item
    pair = [net.items[i] for i in item.inputs]
    layers = [p for p in pair if p.get("bias") is False]
    values = [p for p in pair if p.role == "parameter" and prod(p.shape) in (1, *p.shape)]
    if len(layers) != 1 or len(values) != 1 or prod(values[0].shape) != layers[0].get("width"):
        return item
    (layer,), (bias,) = layers, values
    return replace(
        layer,
        settings=tuple((key, True if key == "bias" else old) for key, old in layer.settings),
        nodes=layer.nodes + item.nodes,
        parameters=layer.parameters + bias.parameters,
    )


def _joined(net: Net, item: Item) -> Item:
    """Concatenations of concatenations along the same axis are one."""
    if item.role != "concatenation":
        return item
    inputs: list[int] = []
    for place in item.inputs:
        inner = net.items[place]
        same = inner.role == "concatenation" and inner.settings == item.settings
        inputs.extend(inner.inputs if same else (place,))
    return replace(item, inputs=tuple(inputs))


def _stretched(net: Net, item: Item) -> Item:
    """Arithmetic stretches by itself what another network expands before."""
    node = net.graph.nodes[item.nodes[-1]]
    if not isinstance(node.operation, Arithmetic) or len(item.inputs) < 2:
        return item
    nodes = net.graph.nodes
    sources = list(node.inputs[: node.data])
    for n, source in enumerate(sources):
        if isinstance(nodes[source].operation, Expand):
            sources[n] = nodes[source].inputs[0]
    if tuple(sources) == node.inputs[: node.data]:
        return item
    shapes = tuple(net.shapes[source] for source in sources)
    role, settings = meaning(node.operation, shapes, item.shape)
    places = tuple(net.at[source] for source in sources)
    return replace(item, role=role, settings=tuple(settings.items()), inputs=places)


def _over_positions(net: Net, item: Item) -> Item:
    """A mean over positions is a global pool, wherever the maps' axis stands."""
    source = net.items[item.inputs[0]] if item.inputs else item
    if item.role == "pooling" and item.get("kernel") == GLOBAL:
        last_first = source.layout is not None and source.layout.order in ((1, 0), (0, 2, 1))
        if last_first:
            return replace(item, inputs=source.inputs)
        return item
    operation = net.graph.nodes[item.nodes[-1]].operation
    if item.role == "mean" and isinstance(operation, Reduce):
        rank = len(net.shape_of(item))
        if {axis % rank for axis in operation.axes} == set(range(1, rank - 1)):
            role, settings = pooling("avg", GLOBAL)
            return replace(item, role=role, settings=tuple(settings.items()))
    return item


def _interleaved(net: Net, item: Item) -> Item | int:
    """Every second row and column, joined along the maps, is a rearrangement of the whole."""
    if item.role != "concatenation" or len(item.inputs) < 2:
        return item
    parts, sources = [], set()
    try:
        for place in item.inputs:
            source, layout = _sliced(net, place)
            sources.add(source)
            parts.append(layout)
    except ValueError:
        return item
    operation = net.graph.nodes[item.nodes[-1]].operation
    assert isinstance(operation, Concat)
    whole = stacked(parts, operation.axis) if len(sources) == 1 else None
    if whole is None or prod(item.shape) != whole.total:
        return item
    (source,) = sources
    return source if whole.untouched else laid_out(source, whole, item.nodes, item.shape)


def _sliced(net: Net, place: int) -> tuple[int, Layout]:
    """The source of a chain of slices with steps, and how they go through it."""
    chain = []
    while net.items[place].role == "slice":
        chain.append(net.items[place])
        (place,) = net.items[place].inputs
    layout = Layout.of(net.items[place].shape)
    for cut in reversed(chain):
        operation = net.graph.nodes[cut.nodes[-1]].operation
        assert isinstance(operation, Slice)  # which is what the role says
        axis = operation.axis % len(layout.axes)
        layout = stepped(layout, axis, cut.get("start"), cut.get("step"), cut.shape[axis])
    return place, layout


def laid_out(source: int, layout: Layout, nodes: tuple[int, ...], shape: Shape) -> Item:
    """A rearrangement of an item's values."""
    sizes = tuple(size for size, _ in layout.factors)
    settings = (("order", layout.order), ("sizes", sizes), ("from", layout.offset))
    return Item("layout", settings, (source,), nodes, shape, (), layout)


def _by_channel(net: Net, item: Item) -> Item:
    """Channels cut apart, each scaled and shifted, and joined again: one transform."""
    if item.role != "concatenation":
        return item
    scales, shifts = [], []
    sources: set[int] = set()
    nodes: list[int] = []
    for n, place in enumerate(item.inputs):
        scale, shift, inner = 1.0, 0.0, net.items[place]
        while inner.role in COMMUTE and len(inner.inputs) == 1:
            number = inner.get("number")
            if number is None:
                return item
            grown = inner.role == "multiplication"
            # outer numbers are met first: y = s(x·a + b) has scale s·a and shift s·b
            scale, shift = (scale * number, shift) if grown else (scale, shift + scale * number)
            nodes.extend(inner.nodes)
            inner = net.items[inner.inputs[0]]
        if inner.role != "select" or inner.get("index") != n:
            return item
        sources.add(inner.inputs[0])
        nodes.extend(inner.nodes)
        scales.append(scale)
        shifts.append(shift)
    if len(sources) != 1 or net.items[next(iter(sources))].shape != item.shape:
        return item
    rounded = [tuple(float(f"{x:.6g}") for x in numbers) for numbers in (scales, shifts)]
    settings = (("scale", rounded[0]), ("shift", rounded[1]))
    every = (*nodes, *item.nodes)
    return Item("transform by channel", settings, tuple(sources), every, item.shape)


REWRITES: tuple[Rewrite, ...] = (
    *(_idle, _padded, _biased, _joined, _interleaved, _by_channel, _stretched, _over_positions),
)
