"""Which network a module is, from its tensors and its operations."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from convatlas import atlas, models
from convatlas.checkpoints.adapt import Shapes, fitting, of_size, with_heads
from convatlas.checkpoints.meaning import difference, in_words, of_blueprint, of_module
from convatlas.checkpoints.record import record_of
from convatlas.errors import UserError
from convatlas.models.family import Blueprint, Task


def identified(module: nn.Module, name: str | None, task: Task | None) -> Blueprint[Any]:
    """The network that a module is: as named, as noted when it was loaded, or as it is found.

    Raises `UserError` if its tensors are not those of the network named, or of none.
    """
    shapes = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    record = record_of(module)
    if name is None and record is not None:
        name, task = record.name, record.task
    if name is None:
        return _found(module, shapes)
    blueprint = _with_shapes(name, task or Task(), shapes)
    if blueprint is None:
        raise UserError(
            f"this module does not have the tensors of {name}; give the name and the task it was "
            "created with"
        )
    return blueprint


def _found(module: nn.Module, shapes: Shapes) -> Blueprint[Any]:
    """The first network with the same tensors and the same operations."""
    others = []
    for candidate in _candidates(shapes):
        change = difference(of_module(module, candidate), of_blueprint(candidate))
        if change is None:
            return candidate
        others.append(f"{candidate.name} has, unlike it, {in_words(change)}")
    why = others[0] if others else "none has tensors of these names and shapes"
    raise UserError(f"this module is no network of the atlas as published: {why}; give its name")


def _candidates(shapes: Shapes) -> Iterator[Blueprint[Any]]:
    parameters = {key for key in shapes if key.endswith(("weight", "bias"))}
    for entry in of_size(shapes):
        owned = {p.names[0] for p in atlas.graph(entry.name).parameters if not p.buffer}
        if parameters <= owned:  # fewer without auxiliary heads
            found = _with_shapes(entry.name, Task(), shapes)
            if found is not None:
                yield found


def _with_shapes(name: str, task: Task, shapes: Shapes) -> Blueprint[Any] | None:
    for heads in (True, False):
        found = fitting(name, task, shapes, heads=heads)
        if found is not None:
            return with_heads(models.blueprint(name, found), wanted=heads)
    return None
