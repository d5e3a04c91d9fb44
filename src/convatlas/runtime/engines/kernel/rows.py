"""What stands around a linear layer and can be done while it reads its rows and writes them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fx import Node

from convatlas.runtime.engines.kernel.moves import in_order, onward, rows_moved, sources
from convatlas.runtime.engines.kernel.pattern import (
    added,
    aten,
    constants,
    curved,
    given,
    is_float,
    is_linear,
    only_user,
    pixels_of,
    shape_of,
)

PADDED = -2  # a row of zeros, not normed, as the kernel knows it


@dataclass(frozen=True, slots=True)
class Read:
    """The rows a layer reads: a table of pieces of a source's rows, normed; ``None``: as they are.

    ``chain``: what moves the source's rows in the graph.
    """

    source: Node
    table: Tensor | None
    norm: Node | None
    chain: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The last operation done in the stroke, where each row goes, what is added, the curve."""

    last: Node
    place: Tensor | None
    other: Node | None
    curve: str


def read(x: Node) -> Read:
    """What can be done while rows are read."""
    source, table, chain = _moved(x)
    if not _is_norm(source) or not _alone(source, chain):
        return Read(source, table, None, chain)
    if table is not None and table.shape[1] != 1:
        return Read(source, table, None, chain)
    first, pieces, before = _moved(given(source)[0])
    if table is None:
        return Read(first, pieces, source, (*before, source, *chain))
    if pieces is None:
        pieces = torch.arange(pixels_of(first), dtype=torch.int32)[:, None]
    whole = torch.where(table < 0, PADDED, pieces[table[:, 0].clamp(min=0).long()])
    return Read(first, whole, source, (*before, source, *chain))


def written(node: Node) -> Written:
    """What can be done to a layer's rows before they are stored."""
    last, curve = curved(node)
    if last is not node:
        return Written(last, None, None, curve)
    chain = onward(node)
    at = chain[-1] if chain else node
    user = only_user(at)
    other = None if user is None else added(user, at)
    if user is None or other is None:
        return Written(node, None, None, "none")
    table = rows_moved(node, chain)
    if table is None and chain:
        return Written(node, None, None, "none")
    moved = table is not None and not in_order(node, table)
    place = _inverse(table, pixels_of(node)) if table is not None and moved else None
    if moved and place is None:
        return Written(node, None, None, "none")
    last, curve = curved(user)
    return Written(last, place, other, curve)


def _moved(x: Node) -> tuple[Node, Tensor | None, tuple[Node, ...]]:
    """The farthest value whose rows stand in another order in ``x``, and the table."""
    for source, chain in sources(x):
        table = rows_moved(source, chain) if chain and is_float(source) else None
        if table is not None:
            return source, None if in_order(source, table) else table, chain
    return x, None, ()


def _inverse(table: Tensor, count: int) -> Tensor | None:
    """For each of ``count`` rows where it goes, or -1; ``None`` if one goes to two places."""
    if table.shape[1] != 1 or (table < 0).any():
        return None
    place = torch.full((count,), -1, dtype=torch.int32)
    place[table[:, 0].long()] = torch.arange(len(table), dtype=torch.int32)
    return place if int((place >= 0).sum()) == len(table) else None


def _is_norm(node: Node) -> bool:
    """Whether an operation is a layer norm over the last axis whose figures are known."""
    if node.target is not aten.layer_norm.default or not is_float(node):
        return False
    x, over, *figures = given(node)
    return math.prod(over) == shape_of(x)[-1] and len(over) == 1 and constants(figures[:2])


def _alone(source: Node, chain: tuple[Node, ...]) -> bool:
    """Whether only linear layers read what a chain makes, and nothing what is on its way."""
    way = (source, *chain)
    return all(len(node.users) == 1 for node in way[:-1]) and all(map(is_linear, way[-1].users))
