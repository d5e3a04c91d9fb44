"""Modules that say themselves which operation they are become one node."""

from dataclasses import replace
from itertools import groupby

from convatlas.graph.graph import Node
from convatlas.graph.operation import Operation


def collapse(
    nodes: tuple[Node, ...], operations: dict[str, Operation]
) -> tuple[tuple[Node, ...], dict[int, int]]:
    """Runs of nodes of a declared module as one each; also where each kept node stands now."""
    kept: list[Node] = []
    places: dict[int, int] = {}
    at = 0
    for path, run in groupby(nodes, key=lambda node: node.path):
        inner = tuple(run)
        if path in operations:
            kept.append(_one(inner, at, operations[path], places))
            places[at + len(inner) - 1] = len(kept) - 1
        else:
            for offset, node in enumerate(inner):
                kept.append(replace(node, inputs=tuple(places[i] for i in node.inputs)))
                places[at + offset] = len(kept) - 1
        at += len(inner)
    return tuple(kept), places


def _one(inner: tuple[Node, ...], first: int, operation: Operation, places: dict[int, int]) -> Node:
    """Reads what its pieces read from outside, owns what they own."""
    outside = (i for node in inner for i in node.inputs[: node.data] if i < first)
    inputs = tuple(dict.fromkeys(places[i] for i in outside))
    return Node(
        operation=operation,
        inputs=inputs,
        data=len(inputs),
        path=inner[-1].path,
        parameters=tuple(dict.fromkeys(p for node in inner for p in node.parameters)),
        dtype=inner[-1].dtype,
    )
