"""The same network for other classes, channels, or without its auxiliary heads."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import Any

from convatlas import atlas, models
from convatlas.errors import UserError
from convatlas.models.family import Blueprint, Task

Shapes = Mapping[str, tuple[int, ...]]
NO_HEADS = "no auxiliary heads"
APART = 3  # how many times as many parameters other classes or missing heads can make


def shapes_of(blueprint: Blueprint[Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in a network's state, in its order."""
    return {key: tuple(t.shape) for key, t in blueprint.layout().state_dict().items()}


def task_of(blueprint: Blueprint[Any]) -> Task:
    """The task that a network is adapted to; its dropout says nothing of its weights."""
    spec = blueprint.spec
    return Task(
        num_classes=spec.num_classes, in_channels=spec.in_channels, image_size=spec.image_size
    )


def with_heads(blueprint: Blueprint[Any], *, wanted: bool) -> Blueprint[Any]:
    """The network with or without its auxiliary heads, if it was published with some."""
    if not hasattr(blueprint.spec, "auxiliary") or blueprint.spec.auxiliary == wanted:
        return blueprint
    noted = () if wanted else (NO_HEADS,)
    return replace(
        blueprint,
        spec=replace(blueprint.spec, auxiliary=wanted),
        departures=(*(d for d in blueprint.departures if d != NO_HEADS), *noted),
    )


def fitting(name: str, task: Task, shapes: Shapes, *, heads: bool = True) -> Task | None:
    """The task that gives a network tensors of these shapes; ``None`` if no such is found."""
    try:
        published = shapes_of(with_heads(models.blueprint(name, task), wanted=heads))
    except UserError:
        return None
    if published.keys() != shapes.keys():
        return None
    for trial in _trials(task, published, shapes):
        try:
            found = shapes_of(with_heads(models.blueprint(name, trial), wanted=heads))
        except UserError:
            continue
        if found == shapes:
            return trial
    return None


def of_size(shapes: Shapes) -> Iterator[atlas.Entry]:
    """The networks with about as many parameters as these tensors have."""
    size = sum(prod(shape) for key, shape in shapes.items() if "running_" not in key)
    for entry in atlas.entries():
        if size / APART <= entry.parameters <= size * APART:
            yield entry


def _trials(task: Task, published: Shapes, shapes: Shapes) -> Iterator[Task]:
    """Tasks worth a trial: the classes of the last odd tensor, the channels of the first."""
    yield task
    odd = [shapes[key] for key in published if shapes[key] != published[key]]
    if not odd:
        return
    classes = odd[-1][0] if odd[-1] else None
    channels = odd[0][1] if len(odd[0]) > 2 else None
    yield replace(task, num_classes=classes)
    if channels:
        yield replace(task, in_channels=channels)
        yield replace(task, num_classes=classes, in_channels=channels)
