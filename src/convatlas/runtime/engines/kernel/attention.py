"""Attention of queries to keys, found by where its queries, keys, values and results stand."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

from convatlas.runtime.engines.kernel.moves import onward, places, sources
from convatlas.runtime.engines.kernel.pattern import (
    aten,
    given,
    is_constant,
    is_float,
    only_user,
    shape_of,
    tensor_of,
)

LANES = 32  # values of a head are a multiple of it


@dataclass(frozen=True, slots=True)
class Attention:
    """softmax(scale q kᵀ + added) v for each unit, a head of a window, as the kernel takes it."""

    source: Node
    table: Tensor
    sizes: list[int]
    scale: float
    added: Tensor | None
    last: Node


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where the rows of each unit stand: the first one's place, and from each row to the next."""

    begin: Tensor
    step: int


def attention_of(module: GraphModule, softmax: Node) -> Attention | None:
    """The attention around a softmax, or ``None`` if it is another thing."""
    product = only_user(softmax)
    if not _is_softmax(softmax) or product is None or not _is_product(product):
        return None
    weights, v = given(product)
    scores, terms = _without_terms(given(softmax)[0])
    scores, after = _without_factor(scores)
    if weights is not softmax or not _is_product(scores) or len(scores.users) != 1:
        return None
    (q, before), k = _without_factor(given(scores)[0]), given(scores)[1]
    shape, depth, values = shape_of(scores), shape_of(q)[-1], shape_of(v)[-1]
    if shape != shape_of(softmax) or values % LANES:
        return None
    if any(shape_of(each)[:-2] != shape[:-2] for each in (q, k, v)):  # not one for one
        return None
    source = next(sources(q))[0]
    read = [_lines(_places(each, source)) for each in (q, k, v)]
    read[1] = _lines(_places(k, source), turned=True)
    end, out = _end(product)
    lines = [each for each in (*read, out) if each is not None]
    if not is_float(source) or len(lines) < len(read) + 1:
        return None
    added, which = _distinct([tensor_of(module, term) for term in terms], shape)
    table = torch.stack((*(each.begin for each in lines), which), 1)
    sizes = [*shape[-2:], depth, values, *(each.step for each in lines)]
    return Attention(source, table, sizes, before * after, added, end)


def _is_softmax(node: Node) -> bool:
    """Whether an operation is a softmax of float32 over the last axis."""
    if node.target is not aten.softmax.int or node.kwargs or len(given(node)) != 2:
        return False
    return is_float(node) and given(node)[1] in (-1, len(shape_of(node)) - 1)


def _is_product(node: Node) -> bool:
    """Whether an operation is matrix products of float32, one for each unit."""
    return node.target is aten.matmul.default and is_float(node) and len(shape_of(node)) >= 3


def _without_terms(node: Node) -> tuple[Node, list[Node]]:
    """A value without the constants that are added to it, and these."""
    terms: list[Node] = []
    while node.target is aten.add.Tensor and len(node.users) == 1 and not node.kwargs:
        term = next(filter(is_constant, given(node)), None)
        other = next((each for each in given(node) if each is not term), None)
        if term is None or not isinstance(other, Node) or shape_of(other) != shape_of(node):
            break
        node, terms = other, [*terms, term]
    return node, terms


def _without_factor(node: Node) -> tuple[Node, float]:
    """A value without the number that it is multiplied by, and this; else one."""
    if node.target is not aten.mul.Tensor or len(node.users) != 1:
        return node, 1.0
    x, factor = given(node)
    return (x, float(factor)) if isinstance(factor, int | float) else (node, 1.0)


def _places(node: Node, source: Node) -> Tensor | None:
    """Where the numbers of a value stand in a source, if it is moved from there."""
    for found, chain in sources(node):
        if found is source:
            return places(source, chain)
    return None


def _lines(found: Tensor | None, *, turned: bool = False) -> _Lines | None:
    """Places as rows of neighbours at equal steps, for each unit; ``turned``: as columns."""
    if found is None:
        return None
    units = (found.mT if turned else found).flatten(0, -3)
    _, count, width = units.shape
    begin = units[:, 0, 0]
    step = int(units[0, 1, 0] - begin[0]) if count > 1 else width
    inside = torch.arange(count)[:, None] * step + torch.arange(width)
    if (units <= 0).any() or not (units == begin[:, None, None] + inside).all():
        return None
    return _Lines(begin - 1, step)


def _end(product: Node) -> tuple[Node, _Lines | None]:
    """The farthest value that a result is moved to in whole rows, and where they stand in it."""
    shape, chain = shape_of(product), onward(product)
    for count in range(len(chain), -1, -1):
        end = (product, *chain)[count]
        found = places(product, chain[:count])
        if found is None or found.numel() != math.prod(shape):
            continue
        goes = torch.zeros(found.numel() + 1, dtype=torch.int64)
        goes[found.flatten()] = torch.arange(1, found.numel() + 1)
        lines = _lines(goes[1:].reshape(shape))  # a number that goes nowhere is 0
        width = shape_of(end)[-1]
        if lines and not (lines.begin % width > width - shape[-1]).any() and not lines.step % width:
            return end, lines
    return product, None


def _distinct(terms: list[Tensor], shape: tuple[int, ...]) -> tuple[Tensor | None, Tensor]:
    """The sum of terms, each kind of unit once, and which of them is each unit's."""
    units = math.prod(shape[:-2])
    if not terms:
        return None, torch.zeros(units, dtype=torch.int64)
    whole = sum(terms[1:], terms[0]).expand(shape).reshape(units, *shape[-2:])
    numbers: dict[bytes, int] = {}
    which = [numbers.setdefault(each.numpy().tobytes(), len(numbers)) for each in whole]
    first = [which.index(number) for number in range(len(numbers))]
    return whole[first].contiguous(), torch.tensor(which)
