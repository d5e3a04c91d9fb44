"""Shapes, multiply-adds and other work of every node, for any input size."""

from dataclasses import dataclass

from convatlas.errors import UserError
from convatlas.graph.graph import Graph, Guard
from convatlas.graph.operation import Measure, Shape, ShapeError, shown
from convatlas.graph.sizes import COMPARISONS, value


class DoesNotFit(UserError):
    """A network that cannot take an input size: which node fails, and all that was found before."""

    def __init__(self, graph: Graph, inputs: tuple[Shape, ...], made: "Propagation", why: str):
        node = graph.nodes[len(made.measures)]
        self.made, self.index, self.path, self.why = made, len(made.measures), node.path, why
        kind = type(node.operation).__name__
        place = f"{node.path} ({kind})" if node.path else kind
        given = ", ".join(map(shown, inputs))
        super().__init__(f"{graph.name} cannot take {given}: {place} {why}")


class OtherWay(UserError):
    """An input size at which the network's own code would do something else than was captured."""


@dataclass(frozen=True, slots=True)
class Propagation:
    """What each node makes and does, in the order of the nodes."""

    inputs: tuple[Shape, ...]
    measures: tuple[Measure, ...]

    @property
    def macs(self) -> int:
        """Multiply-adds of the whole network."""
        return sum(measure[1] for measure in self.measures)

    @property
    def work(self) -> int:
        """Everything else, in elementary operations."""
        return sum(measure[2] for measure in self.measures)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape each node makes."""
        return tuple(measure[0] for measure in self.measures)


def propagate(graph: Graph, inputs: tuple[Shape, ...] | None = None) -> Propagation:
    """Walk the graph for input shapes with their batch; by default those it was captured with.

    Raises `DoesNotFit` where an operation cannot take what it is given, or where the network's own
    code would have gone another way at this size.
    """
    given = graph.inputs if inputs is None else inputs
    if len(given) != len(graph.inputs):
        raise UserError(f"{graph.name} takes {len(graph.inputs)} inputs, given {len(given)}")
    made: list[Measure] = []
    try:
        _walk(graph, given, made)
    except ShapeError as error:
        partial = Propagation(given, tuple(made))
        _check_guards(
            graph, partial
        )  # a shape may not fit because the code would have made another
        raise DoesNotFit(graph, given, partial, str(error)) from None
    found = Propagation(given, tuple(made))
    if inputs is not None:
        _check_guards(graph, found)
    return found


def _walk(graph: Graph, given: tuple[Shape, ...], made: list[Measure]) -> None:
    """Equal operations on equal shapes are measured once: deep networks repeat themselves."""
    known: dict[tuple[object, ...], Measure] = {}
    sources = iter(given)
    for number, first, others, operation, is_input in graph.steps:
        if others:
            key = (number, made[first][0], *[made[index][0] for index in others])
        elif is_input:
            made.append(Measure(next(sources), 0, 0))
            continue
        elif first < 0:
            key = (number,)
        else:
            key = (number, made[first][0])
        found = known.get(key)
        if found is None:
            # behind the number the key holds the shapes
            found = known[key] = operation.measure(key[1:])  # type: ignore[arg-type]
        made.append(found)


def _check_guards(graph: Graph, found: Propagation) -> None:
    """Every comparison whose sizes are known must come out as it did."""
    for guard in graph.guards:
        if all(index < len(found.measures) for index in guard.inputs):
            _check(graph, guard, found)


def _check(graph: Graph, guard: Guard, found: Propagation) -> None:
    shapes = tuple(found.measures[index].shape for index in guard.inputs)
    left, right = value(guard.left, shapes), value(guard.right, shapes)
    if COMPARISONS[guard.relation](left, right) != guard.outcome:
        raise OtherWay(
            f"{graph.name} cannot be told at {', '.join(map(shown, found.inputs))} from what was "
            f"seen at {', '.join(map(shown, graph.inputs))}: the code of {guard.path or 'forward'} "
            f"takes another way there ({left} {guard.relation} {right}); capture it at this size, "
            "as `convatlas show` does with this input"
        )
