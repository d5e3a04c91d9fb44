"""Measures of what single modules of a network put out, and of how they are set."""

from dataclasses import dataclass

from convatlas.claims.measure import Bench, Value
from convatlas.claims.of_graph import OfNetwork
from convatlas.claims.select import ALL, Paths, Selection, last, listed
from convatlas.errors import UserError
from convatlas.graph.field import fields
from convatlas.graph.operation import Shape, elements
from convatlas.graph.pointwise import Activation


@dataclass(frozen=True, slots=True)
class OfModules(OfNetwork):
    """What the measures of a network's modules share; with several the value has one for each."""

    at: Paths
    training: bool = False
    size: str = ""

    def outputs(self, bench: Bench) -> tuple[Shape, ...]:
        """What each module puts out, without the batch."""
        graph, made = bench.network(self.network, training=self.training, size=self.size)
        return tuple(made.measures[last(graph, name)].shape[1:] for name in listed(self.at))

    def told(self, values: tuple[Value, ...]) -> Value:
        """One value by itself if one module was asked."""
        return values[0] if isinstance(self.at, str) else values


@dataclass(frozen=True, slots=True)
class Output(OfModules):
    """The shape of an output: channels, height, width."""

    def value(self, bench: Bench) -> Value:
        """Without the batch."""
        return self.told(self.outputs(bench))


@dataclass(frozen=True, slots=True)
class Widths(OfModules):
    """How many maps or units there are."""

    def value(self, bench: Bench) -> Value:
        """The first axis after the batch."""
        return self.told(tuple(shape[0] for shape in self.outputs(bench)))


@dataclass(frozen=True, slots=True)
class Sides(OfModules):
    """How many pixels a map has on a side."""

    def value(self, bench: Bench) -> Value:
        """The last axis."""
        return self.told(tuple(shape[-1] for shape in self.outputs(bench)))


@dataclass(frozen=True, slots=True)
class Units(OfModules):
    """How many values an output has: neurons."""

    def value(self, bench: Bench) -> Value:
        """The product of its axes."""
        return self.told(tuple(map(elements, self.outputs(bench))))


@dataclass(frozen=True, slots=True)
class Sight(OfModules):
    """The receptive field, in pixels along a side."""

    def value(self, bench: Bench) -> Value:
        """Raises `UserError` where nothing of the picture is read."""
        graph, made = bench.network(self.network, training=self.training, size=self.size)
        seen = fields(graph, made)
        found: list[Value] = []
        for name in listed(self.at):
            field = seen[last(graph, name)]
            if field is None:
                raise UserError(f"{self.network}: {name} reads nothing of the picture")
            found.append(str(field.size[0]) if field.size[0] % 1 else int(field.size[0]))
        return self.told(tuple(found))


@dataclass(frozen=True, slots=True)
class Settings(OfModules):
    """Attributes of an operation: kernel, stride, groups, how, p … as in `convatlas.graph`."""

    names: tuple[str, ...] = ()

    def value(self, bench: Bench) -> Value:
        """In the order of ``names``; what is the same along all axes is told once."""
        graph, _ = bench.network(self.network, training=self.training, size=self.size)
        found: list[Value] = []
        for module in listed(self.at):
            operation = graph.nodes[last(graph, module)].operation
            found.append(_single(tuple(_setting(operation, name) for name in self.names)))
        return self.told(tuple(found))


@dataclass(frozen=True, slots=True)
class Kernels(OfModules):
    """The shape of a layer's weight: maps out, maps in, then its sides."""

    def value(self, bench: Bench) -> Value:
        """Of the first tensor of each module."""
        graph, _ = bench.network(self.network, training=self.training)
        shapes = (Selection(at=name).parameters(graph)[0].shape for name in listed(self.at))
        return self.told(tuple(shapes))


@dataclass(frozen=True, slots=True)
class Functions(OfNetwork):
    """The non-linearities of a network, each once."""

    select: Selection = ALL

    def value(self, bench: Bench) -> Value:
        """Their names in the order of the alphabet, joined."""
        graph, _ = self.select.network(bench, self.network)
        operations = (graph.nodes[n].operation for n in self.select.nodes(graph))
        return ", ".join(sorted({o.function for o in operations if isinstance(o, Activation)}))


def _setting(operation: object, name: str) -> Value:
    found = getattr(operation, name, None)
    if found is None:
        raise UserError(f"a {type(operation).__name__} has no {name!r}")
    return _single(found) if isinstance(found, tuple) else found


def _single(values: tuple[Value, ...]) -> Value:
    """Equal numbers as one, also within: (3, 3) is 3, (1, 7) stays."""
    told = tuple(_single(value) if isinstance(value, tuple) else value for value in values)
    return told[0] if len(set(told)) == 1 else told
