"""Shapes and costs of a graph as formulas of the batch N and of height and width.

A picture is looked at as N×C×a·h×b·w, with a and b the smallest numbers for which every division
on the way comes out (the network's strides), so that the formulas hold for every h and w.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Measure, Shape, ShapeError, elements
from convatlas.graph.polynomial import NotSymbolic, Polynomial, value_at
from convatlas.graph.propagate import Propagation, propagate
from convatlas.graph.source import Constant, Input

COARSEST = 4096  # strides looked at

Number = int | Polynomial


class Sides(NamedTuple):
    """How height and width are written: so many times h and w, from which h and w on.

    ``free``: which of N, h and w may vary; a square picture has no w.
    """

    free: str
    height: int = 1
    width: int = 1
    least: tuple[int, int, int] = (1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formulas:
    """What each node makes and does, in terms of N, h and w.

    ``sides`` says what may vary, ``why`` what keeps the rest fixed ("" if nothing does).
    ``activations``: numbers in all tensors that operations make, views not counted.
    """

    graph: Graph
    sides: Sides
    inputs: tuple[tuple[Number, ...], ...]
    measures: tuple[Measure, ...]
    activations: Number
    why: str = ""

    @property
    def shapes(self) -> tuple[tuple[Number, ...], ...]:
        """The shape each node makes."""
        return tuple(measure.shape for measure in self.measures)

    @property
    def macs(self) -> Number:
        """Multiply-adds of the whole network."""
        return sum(measure.macs for measure in self.measures)

    @property
    def work(self) -> Number:
        """Everything else, in elementary operations."""
        return sum(measure.work for measure in self.measures)

    def at(self, batch: int, height: int | None = None, width: int | None = None) -> Propagation:
        """The numbers for one input, as `propagate` gives them; by default the captured size.

        Raises `UserError` for a size that the formulas do not hold for.
        """
        where = self.place(batch, height, width)

        def numbers(shape: tuple[Number, ...]) -> Shape:
            return tuple(value_at(size, *where) for size in shape)

        return Propagation(
            tuple(map(numbers, self.inputs)),
            tuple(
                Measure(numbers(shape), value_at(macs, *where), value_at(work, *where))
                for shape, macs, work in self.measures
            ),
        )

    def place(
        self, batch: int, height: int | None = None, width: int | None = None
    ) -> tuple[int, int, int]:
        """N, h and w for an input."""
        free, steps, least = self.sides.free, self.sides[1:3], self.sides.least
        captured = _picture(self.graph)
        size = tuple(
            old if new is None else new
            for new, old in zip((height, width), captured[-2:], strict=True)
        )
        wanted = f"{self.graph.name}: its formulas are for {self._terms()}"
        if "h" not in free:
            if size != captured[-2:] or batch < least[0]:
                raise UserError(f"{wanted}; given {batch}×{size[0]}×{size[1]}")
            return batch, 1, 1
        found = (batch, *(side // step for side, step in zip(size, steps, strict=True)))
        exact = all(side % step == 0 for side, step in zip(size, steps, strict=True))
        square = "w" in free or size[0] == size[1]
        if not (exact and square and all(a >= b for a, b in zip(found, least, strict=True))):
            raise UserError(f"{wanted}; given N = {batch}, H = {size[0]}, W = {size[1]}")
        return cast(tuple[int, int, int], found)

    def _terms(self) -> str:
        """What N, h and w stand for."""
        sides, captured = self.sides, _picture(self.graph)
        least = ", ".join(
            f"{name} ≥ {low}"
            for name, low in zip("Nhw", sides.least, strict=True)
            if low > 1 and name in sides.free
        )
        if "h" not in sides.free:
            fixed = f"H = {captured[-2]}, W = {captured[-1]} alone" if len(captured) > 3 else ""
            return ", ".join(part for part in ("any N", fixed, least) if part)
        if "w" not in sides.free:
            text = f"H = W = {_times(sides.height, 'h')}"
        else:
            text = f"H = {_times(sides.height, 'h')}, W = {_times(sides.width, 'w')}"
        return f"{text}, {least}" if least else text

    def __str__(self) -> str:
        text = f"MACs = {_text(self.macs)}, {self._terms()}"
        return f"{text} ({self.why})" if self.why else text


def symbolic(graph: Graph) -> Formulas:
    """The formulas of a graph: of N, h and w; of squares; or of N alone; whatever it allows.

    Raises `UserError` where not even the batch can vary.
    """
    shape = _picture(graph)
    attempts = ["Nhw", "Nh", "N"] if len(shape) == 4 else ["N"]
    reasons: list[str] = []
    for free in attempts:
        try:
            sides, made = _settled(graph, free)
        except UserError as error:
            reasons.append(str(error))
            continue
        return Formulas(
            graph=graph,
            sides=sides,
            inputs=made.inputs,
            measures=made.measures,
            activations=sum(_activations(graph, made)),
            why=reasons[-1] if reasons else "",
        )
    raise UserError(
        f"{graph.name} has no formulas, not even for the batch: {reasons[-1]}; "
        "ask for numbers at one size instead"
    )


def _settled(graph: Graph, free: str) -> tuple[Sides, Propagation]:
    """Strides made coarser, and the smallest sizes larger, until every question is decided."""
    shape = _picture(graph)
    sides, made = Sides(free), None
    below = 0  # the largest least h and w known not to be enough
    while made is None:
        try:
            made = propagate(graph, _given(graph, sides))
        except NotSymbolic as doubt:
            coarser = _coarser(sides, doubt, shape)
            if coarser is None:
                raise NotSymbolic(f"{_where(graph, sides)}{doubt}", doubt.names) from None
            below = sides.least[1] if doubt.factor == 1 else 0
            sides = coarser
    return _closer(graph, sides, made, below)


def _where(graph: Graph, sides: Sides) -> str:
    """The operation that asks what cannot be decided; none if the network's own code does."""
    shapes: list[Shape] = []
    given = iter(_given(graph, sides))
    for node in graph.nodes:
        if isinstance(node.operation, Input):
            shapes.append(next(given))
            continue
        try:
            shapes.append(node.operation.measure(tuple(shapes[i] for i in node.inputs)).shape)
        except (NotSymbolic, ShapeError):
            return f"{node.path or 'forward'} ({type(node.operation).__name__}): "
    return ""


def _coarser(sides: Sides, doubt: NotSymbolic, shape: Shape) -> Sides | None:
    """The next to try, if there is one that may help; sizes as large as the captured one count."""
    batch, h, w = sides.least
    if doubt.factor > 1:
        height = sides.height * (doubt.factor if "h" in doubt.names else 1)
        width = sides.width * (doubt.factor if "w" in doubt.names else 1)
        if max(height, width) > COARSEST:
            return None
        sides = sides._replace(height=height, width=width, least=(batch, 1, 1))
    elif doubt.names == {"N"} and batch == 1:
        return sides._replace(least=(2, h, w))
    else:
        sides = sides._replace(least=(batch, 2 * h, 2 * w))
    if "w" not in sides.free:
        sides = sides._replace(width=sides.height)
    reached = sides.least[1] == 1 or sides.least[1] * sides.height <= shape[-2]
    return sides if "h" in sides.free and reached else None


def _closer(graph: Graph, sides: Sides, made: Propagation, below: int) -> tuple[Sides, Propagation]:
    """The smallest h and w that will do, by halving."""
    while sides.least[1] - below > 1:
        middle = (sides.least[1] + below) // 2
        tried = sides._replace(least=(sides.least[0], middle, middle))
        try:
            made = propagate(graph, _given(graph, tried))
            sides = tried
        except NotSymbolic:
            below = middle
    return sides, made


def _given(graph: Graph, sides: Sides) -> tuple[Shape, ...]:
    """The inputs as polynomials: the batch in front, height and width of pictures."""
    batch, height, width = _picture(graph)[0], *_picture(graph)[-2:]
    n, h, w = (Polynomial.variable(name, sides.least) for name in "Nhw")
    if "w" not in sides.free:
        w = h

    def given(shape: Shape) -> Shape:
        made: list[Any] = list(shape)
        if made and made[0] == batch:
            made[0] = n
        if "h" in sides.free and len(shape) == 4 and shape[-2:] == (height, width):
            made[-2:] = [sides.height * h, sides.width * w]
        return tuple(made)

    return tuple(map(given, graph.inputs))


def _picture(graph: Graph) -> Shape:
    """The shape of the picture, or of the first input."""
    pictures = (shape for shape in graph.inputs if len(shape) > 2)
    return next(pictures, graph.inputs[0])


def _activations(graph: Graph, made: Propagation) -> Iterator[int]:
    for node, measure in zip(graph.nodes, made.measures, strict=True):
        if not node.alias and not isinstance(node.operation, Input | Constant):
            yield elements(measure.shape)


def _text(number: Number) -> str:
    return str(number) if isinstance(number, Polynomial) else f"{number:,}"


def _times(factor: int, name: str) -> str:
    return name if factor == 1 else f"{factor}·{name}"
