"""A network, and chance, left exactly as they were, whatever the network's own code does."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@contextmanager
def untouched(parts: Iterable[nn.Module]) -> Iterator[None]:
    """What modules hold (modes, counters, caches, tables of parameters) is put back at the end.

    Tensors are not copied: the tracer does not let them be changed. Only a scripted module, whose
    code it does not see, has its buffers saved.
    """
    parts = tuple(parts)
    tables, others = _held(parts)
    scripted = [
        (buffer, buffer.clone())
        for part in parts
        if isinstance(part, torch.jit.ScriptModule)
        for buffer in part.buffers(recurse=False)
    ]
    chance = _chance()
    try:
        yield
    finally:
        _put_back(tables, others)
        for buffer, value in scripted:
            if not _same(buffer, value):
                buffer.copy_(value)
        _chance_again(chance)


Table = dict[str, Any]


def _held(parts: Iterable[nn.Module]) -> tuple[list[tuple[Table, Table]], list[tuple[Any, Any]]]:
    """Each with a copy: modules' attributes and the plain tables among them; lists and sets."""
    tables, others = [], []
    for part in parts:
        attributes = vars(part)
        tables.append((attributes, attributes.copy()))
        for value in attributes.values():
            kind = type(value)
            if kind is dict:
                tables.append((value, value.copy()))
            elif kind is list or kind is set:
                others.append((value, value.copy()))
    return tables, others


def _put_back(tables: list[tuple[Table, Table]], others: list[tuple[Any, Any]]) -> None:
    """Only what changed is written, so that another thread finds the rest whole."""
    for table, saved in tables:
        same = len(table) == len(saved) and all(map(is_, table.values(), saved.values()))
        if not same or (saved and list(table) != list(saved)):
            table.clear()
            table.update(saved)
    for other, saved in others:
        if len(other) != len(saved) or not all(map(is_, other, saved)):
            other.clear()
            (other.extend if isinstance(other, list) else other.update)(saved)


def _chance() -> tuple[Any, ...]:
    """The states of all three generators, and of those on accelerators in use."""
    # torch leaves is_initialized without annotations
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    cuda = torch.cuda.get_rng_state_all() if used else []
    return random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state(), cuda


def _chance_again(saved: tuple[Any, ...]) -> None:
    """Only a state that moved is set: another thread may be drawing."""
    python, numpy, cpu, cuda = saved
    if random.getstate() != python:
        random.setstate(python)
    if _numbers(np.random.get_state(legacy=False)) != _numbers(numpy):
        np.random.set_state(numpy)
    if torch.get_rng_state().numpy().tobytes() != cpu.numpy().tobytes():
        torch.set_rng_state(cpu)
    if cuda:
        torch.cuda.set_rng_state_all(cuda)


def _numbers(state: Any) -> tuple[Any, ...]:
    """What tells one state of NumPy's generator from another."""
    inner = state["state"]
    return inner["pos"], inner["key"].tobytes(), state["has_gauss"], state["gauss"]


def _same(one: Tensor, other: Tensor) -> bool:
    return one.is_meta or torch.equal(one, other)
