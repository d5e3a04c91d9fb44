"""What a network computes with its weights, as a fingerprint and as differences in words.

Dropout is left out and so is what is frozen: neither changes what a trained weight means.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from convatlas.analysis.diff import diff
from convatlas.analysis.differences.difference import Change, Difference
from convatlas.analysis.meaning.canonical import canonical
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.graph import Graph, Node
from convatlas.graph.operation import Shape
from convatlas.graph.pointwise import Arithmetic, Dropout
from convatlas.graph.propagate import propagate
from convatlas.models.family import Blueprint

Graphs = tuple[Graph, ...]  # in evaluation; and in training, if heads run there

SHOWN = 3  # differences in one message


def of_blueprint(blueprint: Blueprint[Any]) -> Graphs:
    """The graphs of a network without building it."""
    return of_module(blueprint.layout(), blueprint)


def of_module(module: nn.Module, blueprint: Blueprint[Any]) -> Graphs:
    """The graphs of a module at the input of a blueprint; the module is left as it was."""
    spec = blueprint.spec
    shape = (2, spec.in_channels, spec.image_size, spec.image_size)
    still = _bare(capture(module, shape, training=False, name=blueprint.name))
    trained = _bare(capture(module, shape, training=True, name=blueprint.name))
    return (still, trained) if len(trained.outputs) > len(still.outputs) else (still,)


def fingerprint(graphs: Graphs, inputs: Sequence[Shape] | None = None) -> str:
    """SHA-256 of operations, attributes and wiring, at given inputs or at the graphs' own.

    Names of modules and the order in which independent branches run leave it as it is. Raises
    `UserError` where the network cannot take the inputs.
    """
    found = hashlib.sha256()
    for graph in graphs:
        made = propagate(graph, tuple(inputs) if inputs else None)
        found.update(f"{len(graph.outputs)} outputs\n".encode())
        for item in canonical(graph, made):
            line = (item.role, sorted(item.settings, key=lambda s: s[0]), item.inputs, item.layout)
            found.update(f"{line!r}\n".encode())
    return found.hexdigest()


def difference(ours: Graphs, others: Graphs) -> Difference | None:
    """What the others have otherwise, in evaluation or else in training; ``None`` if nothing."""
    for mine, other in zip(ours, others, strict=False):
        found = diff(mine, other)
        if not found.same:
            return found
    return None


def in_words(found: Difference) -> str:
    """The first differences as one line, told from the second network."""
    said = [_said(change) for change in found.changes[:SHOWN]]
    more = len(found.changes) - len(said)
    return "; ".join([*said, *([f"and {more} more"] if more else [])])


def _said(change: Change) -> str:
    places = [mine or other for mine, other in change.places]
    where = f" at {places[0]}" if places and places[0] else ""
    times = f", {change.times} times" if change.times > 1 else ""
    if change.what == "added":
        return f"{change.b} besides{where}{times}"
    if change.what == "left out":
        return f"no {change.a}{where}{times}"
    return f"{change.what}: {change.b or 'nothing'}, not {change.a or 'nothing'}{where}{times}"


def _bare(graph: Graph) -> Graph:
    """The graph without dropout, every parameter trainable."""
    return replace(
        graph,
        nodes=tuple(_undropped(node, graph.training) for node in graph.nodes),
        parameters=tuple(replace(p, trainable=not p.buffer) for p in graph.parameters),
    )


def _undropped(node: Node, training: bool) -> Node:
    dropout = node.operation
    if not isinstance(dropout, Dropout) or dropout.training != training:
        return node
    return replace(node, operation=Arithmetic(function="clone"), data=1, inputs=node.inputs[:1])


def same(ours: Graphs, known: str, others: Graphs) -> bool:
    """Whether ours has the fingerprint of the others at their input."""
    try:
        return fingerprint(ours, others[0].inputs) == known
    except UserError:
        return False
