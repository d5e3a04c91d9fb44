"""A graph as it runs in training, told from the one in evaluation."""

from dataclasses import replace

from convatlas.graph.graph import Graph, Node
from convatlas.graph.norm import BatchNorm
from convatlas.graph.pointwise import Dropout


def in_training(graph: Graph) -> Graph:
    """Batch normalisation by the batch's own statistics, and dropout that drops.

    The whole difference, unless the network's own code asks whether it is in training.
    """
    return replace(graph, nodes=tuple(map(_node, graph.nodes)), training=True)


def _node(node: Node) -> Node:
    operation = node.operation
    if isinstance(operation, BatchNorm):
        return replace(node, operation=replace(operation, training=True))
    if isinstance(operation, Dropout):
        dropping = replace(operation, training=True)
        return replace(node, operation=dropping, alias=operation.inplace)
    return node
