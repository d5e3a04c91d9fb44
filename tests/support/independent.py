"""Counts and shapes by means that share nothing with the graph: torch's counter, forward hooks."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import Propagation


def counted(module: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """Multiply-adds by module path as torch counts them while the module runs; "" is all of it."""
    with FlopCounterMode(display=False) as counter:
        module(*inputs)
    root = type(module).__name__
    found = {"": counter.get_total_flops() // 2}
    for path, flops in counter.get_flop_counts().items():
        if path.startswith(f"{root}."):
            found[path.removeprefix(f"{root}.")] = sum(flops.values()) // 2
    return found


def summed(graph: Graph, made: Propagation) -> dict[str, int]:
    """Multiply-adds of every module with all it holds, by path, from the graph."""
    found: dict[str, int] = {"": 0}
    for node, measure in zip(graph.nodes, made.measures, strict=True):
        parts = node.path.split(".") if node.path else []
        for count in range(len(parts) + 1):
            path = ".".join(parts[:count])
            found[path] = found.get(path, 0) + measure.macs
    return found


def hooked(module: nn.Module, *inputs: Tensor) -> dict[str, Shape]:
    """The shape of what each module without parts makes, at its last call."""
    found: dict[str, Shape] = {}

    def keep(path: str) -> object:
        def hook(_module: nn.Module, _given: object, made: object) -> None:
            if isinstance(made, Tensor):
                found[path] = tuple(made.shape)

        return hook

    handles = [
        part.register_forward_hook(keep(path))  # type: ignore[arg-type]
        for path, part in module.named_modules()
        if not list(part.children())
    ]
    with torch.no_grad():
        module(*inputs)
    for handle in handles:
        handle.remove()
    return found
