"""Which input a network is asked about: ``3x224x224``, ``224``, a batch."""

from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape, shown


def parse_shape(text: str) -> Shape:
    """``3x224x224`` or ``3×224×224`` as numbers; raises `UserError`."""
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.strip().isdecimal() and 0 < int(part) < 100_000 for part in parts):
        raise UserError(
            f"{text!r} is no input size; write channels x height x width like 3x224x224, or 224"
        )
    return tuple(map(int, parts))


def inputs_for(graph: Graph, texts: tuple[str, ...] = (), batch: int = 1) -> tuple[Shape, ...]:
    """The shapes to ask a graph about: its own, with another batch, or those that are given.

    A single number is the side of a square picture with the graph's own channels.
    """
    own = tuple(shape[1:] for shape in graph.inputs)
    if texts and len(texts) != len(own):
        raise UserError(f"{graph.name} takes {len(own)} inputs, given {len(texts)}")
    asked = [_asked(text, shape) for text, shape in zip(texts, own, strict=True)] if texts else own
    for given, shape in zip(asked, own, strict=True):
        if len(given) != len(shape):
            raise UserError(f"{graph.name} takes {shown(shape)}, given {shown(given)}")
        if len(shape) > 1 and given[0] != shape[0]:
            raise UserError(
                f"{graph.name} takes {shape[0]} channels ({shown(shape)}), "
                f"given {given[0]} ({shown(given)})"
            )
    return tuple((batch, *shape) for shape in asked)


def _asked(text: str, own: Shape) -> Shape:
    given = parse_shape(text)
    if len(given) == 1 and len(own) > 1:
        return (own[0], *given * (len(own) - 1))
    return given
