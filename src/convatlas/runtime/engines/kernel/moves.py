"""Chains of operations that only move numbers, known by what they do to the numbers' places.

Views, rolls, pads, transpositions and copies are run once on the places themselves, 1, 2, 3, … (a
padded zero is 0), so that a chain of any of them is one table, whatever it was written for.
"""

from collections.abc import Iterator
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_arg

from convatlas.runtime.engines.kernel.pattern import aten, given, only_user, pixels_of, shape_of

MOVES = (
    *(aten.alias.default, aten.chunk.default, aten.clone.default, aten.contiguous.default),
    *(
        aten.flatten.using_ints,
        aten.flip.default,
        aten.permute.default,
        aten.reshape.default,
        aten.roll.default,
    ),
    *(aten.select.int, aten.slice.Tensor, aten.split.Tensor, aten.split_with_sizes.default),
    *(aten.squeeze.dim, aten.t.default, aten.transpose.int, aten.unbind.int),
    *(aten.unsqueeze.default, aten.view.default, aten._unsafe_view.default, getitem),
)
LEAST = 16  # numbers in a row that is worth a line in a table
MOST = 1 << 25  # numbers that a chain is run on


def is_move(node: Any) -> bool:
    """Whether an operation gives the numbers of its one input in another order, or zeros."""
    if not isinstance(node, Node) or node.op != "call_function":
        return False
    if node.target is aten.pad.default:
        _, _, *options = given(node)
        return [*options, *("constant", None)[len(options) :]] in (
            ["constant", None],
            ["constant", 0],
            ["constant", 0.0],
        )
    return node.target in MOVES and len(node.all_input_nodes) == 1


def sources(node: Node) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """What a value is moved from, the farthest first, with the moves; at last the value itself."""
    chain: list[Node] = []
    at = node
    while is_move(at):
        chain.insert(0, at)
        at = at.all_input_nodes[0]
    for number in range(len(chain)):
        source = chain[number].all_input_nodes[0]
        if isinstance(source.meta.get("val"), Tensor):
            yield source, tuple(chain[number:])
    yield node, ()


def onward(node: Node) -> tuple[Node, ...]:
    """The moves that follow a value which nothing else reads."""
    chain: list[Node] = []
    user = only_user(node)
    while user is not None and is_move(user):
        chain.append(user)
        user = only_user(user)
    return tuple(chain)


def places(source: Node, chain: tuple[Node, ...]) -> Tensor | None:
    """The chain run on the places of the source's numbers; ``None`` if they are too many."""
    shape = shape_of(source)
    count = torch.Size(shape).numel()
    if count > MOST:
        return None
    found: Any = torch.arange(1, count + 1).reshape(shape)
    values = {source: found}
    for node in chain:
        args, kwargs = map_arg((node.args, node.kwargs), lambda each: values[each])
        assert callable(node.target)
        values[node] = found = node.target(*args, **kwargs)
    return found if isinstance(found, Tensor) else None


def rows_moved(source: Node, chain: tuple[Node, ...]) -> Tensor | None:
    """The chain as a table, if it moves whole rows of the source (its last axis).

    (rows of the result, pieces in each): the number of the source's row, or -1 for a row of zeros.
    """
    width = shape_of(source)[-1] if shape_of(source) else 0
    after = shape_of(chain[-1] if chain else source)
    if width < LEAST or not after or after[-1] % width:
        return None
    found = places(source, chain)
    if found is None:
        return None
    found = found.reshape(-1, width)
    begin = found[:, :1]
    runs = (found == begin + torch.arange(width)) & ((begin - 1) % width == 0)
    if not torch.where(begin > 0, runs, found == 0).all():
        return None
    table = torch.where(begin > 0, (begin - 1) // width, -1)
    return table.reshape(-1, after[-1] // width).int()


def in_order(source: Node, table: Tensor) -> bool:
    """Whether a table of the source's rows changes nothing."""
    count = pixels_of(source)
    return table.shape == (count, 1) and bool((table[:, 0] == torch.arange(count)).all())
