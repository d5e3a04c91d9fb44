"""Whether a graph read from outside is one: everything it points to is there, and it propagates."""

from convatlas.graph.graph import Graph
from convatlas.graph.propagate import propagate
from convatlas.graph.sizes import COMPARISONS, value
from convatlas.graph.source import Input


def validate(graph: Graph) -> None:
    """Raises an error of one of Python's own kinds, or `UserError`, for a graph that is none."""
    _texts(graph)
    _positions(graph)
    shapes = propagate(graph).shapes
    if not all(type(size) is int and size >= 0 for shape in shapes for size in shape):
        raise ValueError("a size is no natural number")
    for guard in graph.guards:
        read = tuple(shapes[index] for index in guard.inputs)
        compared = (value(guard.left, read), value(guard.right, read))
        if guard.relation not in COMPARISONS or not all(type(size) is int for size in compared):
            raise ValueError(f"{guard.relation} compares no sizes")


def _texts(graph: Graph) -> None:
    texts = [graph.name, *graph.notes]
    for node in graph.nodes:
        texts += (node.path, node.dtype)
    for parameter in graph.parameters:
        texts += (*parameter.names, parameter.dtype)
    texts += [name for name, _ in graph.outputs]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a name is no text")


def _positions(graph: Graph) -> None:
    count, owned = len(graph.nodes), len(graph.parameters)
    for at, node in enumerate(graph.nodes):
        _within(node.inputs, at, f"what operation {at} reads")
        _within((node.data,), len(node.inputs) + 1, f"how much operation {at} reads")
        _within(node.parameters, owned, f"the parameters of operation {at}")
    _within([index for _, index in graph.outputs], count, "the outputs")
    for guard in graph.guards:
        _within(guard.inputs, count, "what a comparison reads")
    for parameter in graph.parameters:
        _within(parameter.shape, 1 << 62, "the shape of a parameter")
    given = sum(isinstance(node.operation, Input) for node in graph.nodes)
    if given != len(graph.inputs):
        raise ValueError(f"{given} inputs, but {len(graph.inputs)} shapes for them")


def _within(numbers: tuple[int, ...] | list[int], count: int, what: str) -> None:
    if not all(type(number) is int and 0 <= number < count for number in numbers):
        raise ValueError(f"{what} is not there: {list(numbers)} of {count}")
