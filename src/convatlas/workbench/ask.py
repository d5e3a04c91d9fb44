"""Which network a question is about: built-in ones come from the atlas, without torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convatlas import atlas
from convatlas.analysis.picture import inputs_for, parse_shape
from convatlas.atlas.training import in_training as trained
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape

if TYPE_CHECKING:
    from torch import nn

    Network = str | Graph | nn.Module
else:
    Network = object


Sizes = str | int | Sequence[str] | Sequence[int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A network and the input it is asked about, shapes with their batch."""

    graph: Graph
    inputs: tuple[Shape, ...]


def ask(
    network: Network,
    sizes: Sizes = (),
    *,
    batch: int = 1,
    training: bool = False,
) -> Asked:
    """A network by name, by ``package.module:factory``, as a module of torch or as a graph.

    ``sizes``: ``3x224x224`` or ``224`` for each input, or numbers, 224 or (3, 224, 224), for a
    single one; a name or graph has its own as default.
    """
    texts = texts_of(sizes)
    if batch < 1:
        raise UserError(f"the batch is 1 or more, given {batch}")
    if isinstance(network, str) and ":" not in network:
        network = atlas.graph(network, training=training)
    if isinstance(network, Graph):
        return Asked(network, inputs_for(network, texts, batch))
    label, module = _labelled(network)
    shapes = [(batch, *parse_shape(text)) for text in texts]
    if not shapes:
        raise UserError(f"{label} does not say what it takes; give its input, like 3x224x224")
    from convatlas.capture.capture import capture  # imports torch

    graph = capture(module, shapes, training=training, name=label, draw=True)
    return Asked(graph, graph.inputs)


def texts_of(sizes: Sizes) -> tuple[str, ...]:
    """Input sizes as they would be typed, without the batch."""
    if isinstance(sizes, str | int):
        return (str(sizes),)
    each = tuple(sizes)
    if each and all(isinstance(size, int) for size in each):
        return ("x".join(map(str, each)),)
    if not all(isinstance(size, str) for size in each):
        raise UserError(f"{sizes!r} is no input size; write '3x224x224', 224 or (3, 224, 224)")
    return tuple(map(str, each))


def in_training(network: Network, asked: Asked) -> Graph:
    """The same network as it runs in training, at the input asked about; raises `UserError`.

    A graph is what it is: nothing is known of its other mode.
    """
    if asked.graph.training or isinstance(network, Graph):
        return asked.graph
    if isinstance(network, str) and ":" not in network:
        if atlas.trains_otherwise(network):
            return atlas.graph(network, training=True)
        return trained(asked.graph)
    from convatlas.capture.capture import capture  # imports torch

    label, module = _labelled(network)
    return capture(module, list(asked.inputs), training=True, name=label, draw=True)


def module_of(network: Network) -> "nn.Module | None":
    """The module that is asked about; ``None`` for one of the atlas and for a graph."""
    if isinstance(network, Graph) or (isinstance(network, str) and ":" not in network):
        return None
    return _labelled(network)[1]


def _labelled(network: Any) -> "tuple[str, nn.Module]":
    """The module itself, or what stands at ``package.module:name``."""
    made, label = network, type(network).__name__
    if isinstance(network, str):
        from convatlas.workbench.imported import imported

        made, label = imported(network), network  # what is not there needs no torch
    from torch import nn

    if isinstance(made, type) and issubclass(made, nn.Module):
        raise UserError(f"{made.__name__} is a class; give an instance of it, {made.__name__}(…)")
    if not isinstance(made, nn.Module):
        raise UserError(
            f"{label} is no network: expected an nn.Module, or a function that makes one without "
            f"arguments, found {type(made).__name__}"
        )
    return label, made
