"""From any module to its graph, without computing anything."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from io import StringIO

import torch
from torch import Tensor, nn

from convatlas.capture.calls import called
from convatlas.capture.collapse import collapse
from convatlas.capture.confirm import confirmed, for_one_size
from convatlas.capture.examples import Examples, Given, given, results
from convatlas.capture.inventory import Inventory
from convatlas.capture.operators import dispatched
from convatlas.capture.tracer import NeedsValues, Tracer
from convatlas.capture.untouched import untouched
from convatlas.capture.values import Values
from convatlas.capture.whereabouts import line_in, module_in
from convatlas.errors import UserError, with_kind
from convatlas.graph.graph import Graph, Node
from convatlas.graph.operation import Shape, ShapeError, shown
from convatlas.graph.source import Input

# What is said of a graph that holds for one example.
FOR_ONE = "for one drawn picture (normal values, seed 0); another may go another way"


class CaptureError(UserError):
    """A module that could not be captured; ``graph`` holds what ran before it failed.

    ``refused``: the operation that came next, where it was this that did not fit. ``line``: of the
    network's own code, if it was not within a module of torch's.
    """

    def __init__(
        self, message: str, graph: Graph, refused: Node | None = None, line: str = ""
    ) -> None:
        super().__init__(f"{message} ({line})" if line else message)
        self.graph, self.refused, self.line = graph, refused, line


def capture(
    module: nn.Module,
    example: Examples,
    *,
    training: bool | None = None,
    name: str = "",
    draw: bool = False,
    one_size: bool = False,
) -> Graph:
    """The graph of a module for inputs like ``example``.

    ``example``: a tensor or a shape with its batch, several in a list, or by keyword in a mapping;
    of a tensor only shape and kind are looked at, unless the network branches on values: then it is
    run once, and the graph's ``notes`` say so; with ``draw`` on normal values where the example is
    a shape. ``training``: the mode to capture, by default the module's own. The module is left
    exactly as it was. Raises `CaptureError`.

    The graph answers for other input sizes too, or refuses where the code would go another way.
    Code that computes with sizes unheard is looked at twice, see `convatlas.capture.confirm`. With
    ``one_size`` it is not, and the graph of code that reads sizes refuses all others: it takes half
    the time.
    """
    label = name or type(module).__name__
    inputs = given(example)
    try:
        inventory = Inventory(module)
    except UserError as error:
        raise CaptureError(f"{label}: {error}", _nothing(label)) from None

    def traced(shapes: tuple[Shape, ...]) -> Graph | None:
        """The graph for other sizes; what the code prints, it has printed already."""
        other = _Run(module, inventory, inputs.of(shapes), label)
        with _as_it_was(inventory, training), redirect_stdout(StringIO()):
            try:
                return other.traced(Tracer(inventory, called, dispatched))
            except (NeedsValues, CaptureError):
                return None

    run = _Run(module, inventory, inputs, label)
    with _as_it_was(inventory, training):
        tracer = Tracer(inventory, called, dispatched)
        try:
            graph = run.traced(tracer)
        except NeedsValues as need:
            return run.valued(str(need), draw=draw)
    if not tracer.sized:
        return graph
    return for_one_size(graph) if one_size else confirmed(graph, traced)


@contextmanager
def _as_it_was(inventory: Inventory, training: bool | None) -> Iterator[None]:
    """In the mode that is wanted, and left untouched."""
    with untouched(inventory.modules), torch.no_grad():
        if training is not None:
            for part in inventory.modules:
                part.training = training
        yield


class _Run:
    """One module with one example, traced once or, if values are needed, twice."""

    def __init__(self, module: nn.Module, inventory: Inventory, inputs: Given, label: str) -> None:
        self._module, self._inventory, self._inputs = module, inventory, inputs
        self._label = label

    def traced(self, tracer: Tracer) -> Graph:
        """The graph of a run on stand-ins; raises `NeedsValues` and `CaptureError`."""
        args, kwargs = self._inputs.stand_ins(tracer, *self._kind())
        try:
            with tracer:
                made = self._module(*args, **kwargs)
        except NeedsValues:
            raise
        except Exception as error:
            raise self._failed(tracer, error) from error
        outputs = tuple(
            (key, tracer.stand_in(value).node)
            for key, value in results("", made)
            if isinstance(value, Tensor)
        )
        graph = self._graph(tracer, outputs)
        if not outputs:
            kind_made = type(made).__name__
            raise CaptureError(
                f"{self._label} returns {kind_made}, in which there is no tensor; "
                "return the tensors it computes",
                graph,
            )
        return graph

    def valued(self, need: str, *, draw: bool) -> Graph:
        """Again with values, for which module and example must have some."""
        notes: tuple[str, ...] = ()
        if draw and self._inputs.real is None:
            self._inputs = self._inputs.drawn(*self._kind())
            notes = (FOR_ONE,)
        real = self._inputs.real
        if real is None or any(t.is_meta for t in (*self._inventory.tensors, *real)):
            raise CaptureError(
                f"{self._label}: {need}; give an example tensor with real values and a module that "
                "has its weights, so that the branch can be taken",
                _nothing(self._label),
            )
        tracer = Tracer(self._inventory, called, dispatched, Values(self._inventory))
        try:
            graph = self.traced(tracer)
        except NeedsValues as still:
            message = f"{self._label}: {still}, which cannot be followed"
            raise CaptureError(message, self._graph(tracer, ())) from None
        return replace(graph, notes=(*graph.notes, *notes)) if notes else graph

    def _kind(self) -> tuple[torch.dtype, torch.device]:
        """The numbers the network computes with, and where."""
        tensors = self._inventory.tensors
        kind = next((t.dtype for t in tensors if t.is_floating_point()), torch.float32)
        return kind, tensors[0].device if tensors else torch.device("cpu")

    def _failed(self, tracer: Tracer, error: Exception) -> CaptureError:
        """What went wrong, in one line, with the module and the line it went wrong in."""
        graph = self._graph(tracer, ())
        path = module_in(error.__traceback__, self._inventory.paths) or "its forward"
        inputs = ", ".join(map(shown, graph.inputs))
        refused = None
        if not isinstance(error, ShapeError):
            what = f"{path} raises {with_kind(error)}"
        elif tracer.refused is not None and tracer.refused[0] is error:
            refused = self._placed(tracer, tracer.refused[1])
            what = f"{path} ({type(tracer.refused[1].operation).__name__}) {error}"
        else:
            what = f"{path} {error}"
        message = f"{self._label} cannot take {inputs}: {what}"
        return CaptureError(message, graph, refused, line_in(error.__traceback__))

    def _placed(self, tracer: Tracer, node: Node) -> Node | None:
        """A node behind those of the graph; none within a module that is one operation itself."""
        operations = self._inventory.operations
        if node.path in operations:
            return None
        return collapse((*tracer.nodes, node), operations)[0][-1] if operations else node

    def _graph(self, tracer: Tracer, outputs: tuple[tuple[str, int], ...]) -> Graph:
        nodes = tuple(tracer.nodes)
        guards = tuple(tracer.guards.values())
        operations = self._inventory.operations
        if operations:
            nodes, places = collapse(nodes, operations)
            outputs = tuple((key, places[index]) for key, index in outputs)
            guards = tuple(guard.moved(places) for guard in guards if guard.path not in operations)
        inputs = (n for n, node in enumerate(tracer.nodes) if isinstance(node.operation, Input))
        return Graph(
            name=self._label,
            nodes=nodes,
            inputs=tuple(tracer.shapes[n] for n in inputs),
            outputs=outputs,
            parameters=tuple(self._inventory.parameters),
            guards=guards,
            training=self._module.training,
            notes=tuple(tracer.notes),
        )


def _nothing(label: str) -> Graph:
    return Graph(name=label, nodes=(), inputs=(), outputs=())
