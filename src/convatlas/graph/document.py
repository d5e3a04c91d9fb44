"""A graph as a JSON document and back; equal operations are written once."""

import json
from dataclasses import MISSING, fields
from typing import Any

from convatlas.errors import UserError
from convatlas.graph import (
    conv,
    norm,
    pointwise,
    pool,
    product,
    rearrange,
    recurrent,
    source,
    unfold,
)
from convatlas.graph.graph import Graph, Guard, Node, Parameter
from convatlas.graph.operation import Operation
from convatlas.graph.sizes import Formula, SizeOf
from convatlas.graph.validate import validate

VERSION = 1
MODULES = (conv, norm, pointwise, pool, product, rearrange, recurrent, source, unfold)
OPERATIONS: dict[str, type] = {
    name: kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and kind.__module__ == module.__name__
}


def write(graph: Graph) -> str:
    """The graph as JSON text."""
    operations: dict[Operation, int] = {}
    paths: dict[str, int] = {}
    nodes = [
        [
            operations.setdefault(node.operation, len(operations)),
            list(node.inputs),
            paths.setdefault(node.path, len(paths)),
            list(node.parameters),
            _changed(Node, node, ("dtype", "alias")) | _fewer(node),
        ]
        for node in graph.nodes
    ]
    document = {
        "convatlas graph": VERSION,
        "name": graph.name,
        "training": graph.training,
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "notes": graph.notes,
        "operations": [_operation(operation) for operation in operations],
        "paths": list(paths),
        "nodes": nodes,
        "parameters": [
            [p.names, p.shape, _changed(Parameter, p, ("trainable", "buffer", "dtype"))]
            for p in graph.parameters
        ],
        "guards": [
            [_plain(g.left), g.relation, _plain(g.right), g.outcome, g.inputs, g.path]
            for g in graph.guards
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def read(text: str | bytes) -> Graph:
    """The graph of a document; raises `UserError` if it is none."""
    try:
        document = json.loads(text)
        version = document.get("convatlas graph")
        if version != VERSION:
            raise UserError(f"this graph has format {version}, expected {VERSION}; write it again")
        graph = _graph(document)
        validate(graph)
    except BROKEN as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"this is no graph of ConvAtlas ({type(error).__name__}: {error}); write it again"
        ) from None
    return graph


# What damaged documents lead to.
BROKEN = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError),
    *(AssertionError, RecursionError),
)


def _graph(document: dict[str, Any]) -> Graph:
    operations = [_operation_of(*entry) for entry in document["operations"]]
    paths = document["paths"]
    nodes = []
    for number, inputs, path, parameters, more in document["nodes"]:
        node = Node(
            operation=operations[number],
            inputs=tuple(inputs),
            data=more.get("data", len(inputs)),
            path=paths[path],
            parameters=tuple(parameters),
            dtype=more.get("dtype", "float32"),
            alias=more.get("alias", False),
        )
        nodes.append(node)
    return Graph(
        name=document["name"],
        nodes=tuple(nodes),
        inputs=_tuples(document["inputs"]),
        outputs=_tuples(document["outputs"]),
        parameters=tuple(
            Parameter(names=tuple(names), shape=tuple(shape), **more)
            for names, shape, more in document["parameters"]
        ),
        guards=tuple(
            Guard(_rich(left), relation, _rich(right), outcome, tuple(inputs), path)
            for left, relation, right, outcome, inputs, path in document["guards"]
        ),
        training=document["training"],
        notes=tuple(document["notes"]),
    )


def _operation(operation: Operation) -> list[Any]:
    kind = type(operation)
    # every operation is a dataclass, which its protocol cannot say
    names = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
    return [kind.__name__, _changed(kind, operation, names)]


def _operation_of(kind: str, values: dict[str, Any]) -> Operation:
    operation: Operation = OPERATIONS[kind](**{key: _rich(v) for key, v in values.items()})
    return operation


def _changed(kind: type, holder: object, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that are not at their default, in plain JSON."""
    defaults = {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    values = {name: getattr(holder, name) for name in names}
    return {
        name: _plain(value)
        for name, value in values.items()
        if name not in defaults or value != defaults[name]
    }


def _fewer(node: Node) -> dict[str, int]:
    return {} if node.data == len(node.inputs) else {"data": node.data}


def _plain(value: Any) -> Any:
    if isinstance(value, SizeOf):
        return {"of": [value.input, value.axis]}
    if isinstance(value, Formula):
        return {value.operator: [_plain(value.left), _plain(value.right)]}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_rich(item) for item in value)
    if isinstance(value, dict):
        ((operator, (left, right)),) = value.items()
        return (
            SizeOf(left, right)
            if operator == "of"
            else Formula(operator, _rich(left), _rich(right))
        )
    return value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
