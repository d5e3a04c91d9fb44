"""From any module to its graph, without computing anything."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convatlas.capture.collapse import collapse, declared
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import NeedsValues, Tracer
from convatlas.errors import UserError
from convatlas.graph.graph import Graph, Node
from convatlas.graph.operation import Shape, ShapeError, shown
from convatlas.graph.source import Input

Example = Tensor | Shape
Examples = Example | Sequence[Example] | Mapping[str, Example]


class CaptureError(UserError):
    """A module that could not be captured; ``graph`` holds what ran before it failed."""

    def __init__(self, message: str, graph: Graph) -> None:
        super().__init__(message)
        self.graph = graph


def capture(
    module: nn.Module, example: Examples, *, training: bool | None = None, name: str = ""
) -> Graph:
    """The graph of a module for inputs like ``example``.

    ``example``: a tensor or a shape with its batch, several in a list, or by keyword in a mapping;
    of a tensor only shape and kind are looked at, unless the network branches on values: then it is
    run once, and the graph's ``notes`` say so. ``training``: the mode to capture, by default the
    module's own. The module is left exactly as it was. Raises `CaptureError`.
    """
    positional, named = _examples(example)
    label = name or type(module).__name__
    with _mode(module, training), torch.no_grad():
        try:
            return _run(Tracer(module), module, positional, named, label)
        except NeedsValues as need:
            return _with_values(module, positional, named, label, need)


def _with_values(
    module: nn.Module,
    positional: tuple[Example, ...],
    named: Mapping[str, Example],
    label: str,
    need: NeedsValues,
) -> Graph:
    """Again with values, for which module and example must have some."""
    given = (*positional, *named.values())
    tensors = [
        *module.parameters(),
        *module.buffers(),
        *(t for t in given if isinstance(t, Tensor)),
    ]
    if not all(isinstance(t, Tensor) for t in given) or any(t.is_meta for t in tensors):
        raise CaptureError(
            f"{label}: {need}; give an example tensor with real values and a module that has its "
            "weights, so that the branch can be taken",
            Graph(name=label, nodes=(), inputs=(), outputs=()),
        ) from None
    with torch.random.fork_rng():
        tracer = Tracer(module, values=True)
        try:
            return _run(tracer, module, positional, named, label)
        except NeedsValues as still:
            message = f"{label}: {still}, which cannot be followed"
            raise CaptureError(message, _graph(tracer, module, (), label)) from None


def _run(
    tracer: Tracer,
    module: nn.Module,
    positional: tuple[Example, ...],
    named: Mapping[str, Example],
    label: str,
) -> Graph:
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    args = [_input(tracer, e, f"input{n or ''}", device) for n, e in enumerate(positional)]
    kwargs = {key: _input(tracer, e, key, device) for key, e in named.items()}
    try:
        with tracer:
            made = module(*args, **kwargs)
    except ShapeError as error:
        partial = _graph(tracer, module, (), label)
        where = tracer.here or "forward"
        given = ", ".join(map(shown, partial.inputs))
        raise CaptureError(f"{label} cannot take {given}: {where} {error}", partial) from None
    outputs = tuple(
        (key, value.node) for key, value in _results("", made) if isinstance(value, Traced)
    )
    return _graph(tracer, module, outputs, label)


def _graph(
    tracer: Tracer, module: nn.Module, outputs: tuple[tuple[str, int], ...], label: str
) -> Graph:
    nodes = tuple(tracer.nodes)
    guards = tuple(tracer.guards.values())
    operations = declared(module)
    if operations:
        nodes, places = collapse(nodes, operations)
        outputs = tuple((key, places[index]) for key, index in outputs)
        guards = tuple(guard.moved(places) for guard in guards if guard.path not in operations)
    given = (n for n, node in enumerate(tracer.nodes) if isinstance(node.operation, Input))
    return Graph(
        name=label,
        nodes=nodes,
        inputs=tuple(tracer.shapes[n] for n in given),
        outputs=outputs,
        parameters=tuple(tracer.parameters),
        guards=guards,
        training=module.training,
        notes=tuple(tracer.notes),
    )


def _input(tracer: Tracer, example: Example, name: str, device: torch.device) -> Traced:
    real = example if isinstance(example, Tensor) else None
    shape = tuple(map(int, example.shape if isinstance(example, Tensor) else example))
    dtype = torch.float32 if real is None else real.dtype
    node = Node(operation=Input(name=name), inputs=(), data=0, dtype=str(dtype)[6:])
    made = tracer.added(node, shape, dtype, device if real is None else real.device)
    made.followed = real
    return made


def _examples(example: Examples) -> tuple[tuple[Example, ...], Mapping[str, Example]]:
    if isinstance(example, Mapping):
        return (), example
    if isinstance(example, Tensor) or all(isinstance(size, int) for size in example):
        return (example,), {}  # type: ignore[return-value]
    return tuple(example), {}  # type: ignore[return-value]


def _results(name: str, made: Any) -> Iterator[tuple[str, Any]]:
    """Every tensor of a result, under the names it has there."""
    parts: list[tuple[str, Any]]
    if isinstance(made, Mapping):
        parts = [(str(key), value) for key, value in made.items()]
    elif hasattr(made, "_fields"):
        parts = [(field, getattr(made, field)) for field in made._fields]
    elif isinstance(made, list | tuple):
        parts = [(str(number), value) for number, value in enumerate(made)]
    elif is_dataclass(made):
        parts = [(field.name, getattr(made, field.name)) for field in fields(made)]
    else:
        yield name, made
        return
    for key, value in parts:
        yield from _results(f"{name}.{key}" if name else key, value)


@contextmanager
def _mode(module: nn.Module, training: bool | None) -> Iterator[None]:
    """A mode for a while; every part goes back to its own."""
    if training is None or all(part.training == training for part in module.modules()):
        yield
        return
    modes = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:
            part.training = training
        yield
    finally:
        for part, mode in modes:
            part.training = mode
