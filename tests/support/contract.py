"""What every network's tests ask: its counts, its sizes, and that every parameter is trained."""

from collections.abc import Iterable
from typing import Any

import torch
from layerwise import layers
from torch import Tensor, nn

from convatlas.models.family import Family, Task, adapt


def on_meta(family: Family[Any], name: str, task: Task = Task()) -> nn.Module:  # noqa: B008
    """The named network without memory for its weights, in evaluation mode."""
    with torch.device("meta"):
        return adapt(name, family, task).build().eval()


def counts(family: Family[Any], name: str, task: Task = Task()) -> tuple[int, int]:  # noqa: B008
    """Parameters, and multiply-adds of all convolutions and dense layers for one picture."""
    model = on_meta(family, name, task)
    spec = adapt(name, family, task).spec
    picture = torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size, device="meta")
    rows = layers(model, picture)
    return sum(p.numel() for p in model.parameters()), sum(row.macs for row in rows)


def sizes(model: nn.Module, x: Tensor, paths: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Shapes, without the batch, of what the named submodules give."""
    seen: dict[str, tuple[int, ...]] = {}
    handles = []
    for path in paths:

        def note(_module: nn.Module, _x: object, out: Tensor, path: str = path) -> None:
            seen[path] = tuple(out.shape[1:])

        handles.append(model.get_submodule(path).register_forward_hook(note))
    model(x)
    for handle in handles:
        handle.remove()
    return seen


def untrained(model: nn.Module, x: Tensor) -> list[str]:
    """Parameters that a backward pass from the squared scores does not reach."""
    model(x).square().sum().backward()
    return [
        path
        for path, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
