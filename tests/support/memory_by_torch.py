"""What torch really keeps and allocates, the measure that predicted memory is compared with."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile


def saved(module: nn.Module, *inputs: Tensor) -> list[int]:
    """Sizes of the storages that autograd keeps in one forward, weights and buffers left out."""
    own = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    found: dict[int, int] = {}
    alive: list[Tensor] = []  # so that no address is used twice

    def pack(tensor: Tensor) -> None:
        alive.append(tensor)
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and storage.nbytes():
            found[storage.data_ptr()] = storage.nbytes()

    with saved_tensors_hooks(pack, lambda _: None):
        module(*inputs)
    alive.clear()  # a graph holds its hooks, and they what it is made of: it would never be freed
    return sorted(found.values())


def peak(module: nn.Module, *inputs: Tensor) -> int:
    """The most allocated at once by a forward and backward, beyond what was there before."""
    module.zero_grad(set_to_none=True)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        results = [r for r in _tensors(module(*inputs)) if r.requires_grad]
        torch.autograd.backward(results, [torch.ones_like(result) for result in results])
    events = watched.profiler.kineto_results.events()  # type: ignore[union-attr]
    steps = sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns())
    now = most = 0
    for event in steps:
        now += event.nbytes()
        most = max(most, now)
    return most


def _tensors(results: Any) -> Iterable[Tensor]:
    if isinstance(results, Tensor):
        yield results
    elif isinstance(results, dict):
        yield from _tensors(tuple(results.values()))
    elif isinstance(results, list | tuple):
        for each in results:
            yield from _tensors(each)
