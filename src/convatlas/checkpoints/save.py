"""Writing weights so that they cannot be taken for another network's."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import torch as safetensors
from torch import Tensor, nn

from convatlas.checkpoints.adapt import shapes_of
from convatlas.checkpoints.file_names import PICKLED, SAFE
from convatlas.checkpoints.identify import identified
from convatlas.checkpoints.judge import against_published
from convatlas.checkpoints.layouts import LAYOUTS, SOURCES
from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.meaning import (
    Graphs,
    difference,
    fingerprint,
    in_words,
    of_blueprint,
    of_module,
)
from convatlas.checkpoints.recognise import OURS, theirs
from convatlas.checkpoints.record import Record, describe, header, record_of
from convatlas.checkpoints.rules import renamed
from convatlas.errors import UserError
from convatlas.files import write_atomically
from convatlas.models.family import Blueprint, Task


def save_weights(
    module: nn.Module,
    path: str | Path,
    layout: str = "convatlas",
    *,
    name: str | None = None,
    task: Task | None = None,
    force: bool = False,
) -> Record:
    """Write a network's weights with our keys or with those of torchvision or timm.

    A ``.safetensors`` file says in its header which network it is of, with a fingerprint of what
    it computes; a ``.pth`` file, for those libraries only, cannot. ``name`` and ``task`` are needed
    for a module that was neither loaded nor is as published. Raises `UserError` where the keys
    would mean another network to that library, or the module is not what its name says; ``force``
    writes it all the same and notes it.
    """
    place = _checked(Path(path), layout)
    _check_kind(module)
    blueprint = identified(module, name, task)
    graphs = of_module(module, blueprint)
    against = _changed(blueprint, graphs)
    chosen = OURS if layout == "convatlas" else _layout(layout, blueprint)
    if chosen is not OURS:
        of, words = against_published(chosen, blueprint, graphs)
        if words:
            against += (f"the layout of {layout} means {of}, which has, unlike this, {words}",)
    if against and not force:
        raise UserError(f"{place} is not written: {'; '.join(against)}; force=True writes it")
    earlier = record_of(module)
    forced = (*(earlier.forced if earlier else ()), *against)
    record = describe(blueprint, fingerprint(graphs), layout, forced)
    _write(place, _tensors(module, chosen), header(record, graphs))
    return record


def _checked(path: Path, layout: str) -> Path:
    """The path, if the layout is known and can stand in a file of this kind."""
    if layout not in ("convatlas", *SOURCES):
        known = ", ".join(("convatlas", *SOURCES))
        raise UserError(f"unknown layout {layout!r}; there are {known}")
    kinds = (SAFE,) if layout == "convatlas" else (SAFE, *PICKLED)
    if path.suffix not in kinds:
        raise UserError(f"weights in the layout of {layout} go to {' or '.join(kinds)}, not {path}")
    return path


def _check_kind(module: nn.Module) -> None:
    """Raise `UserError` for a module without weights or with other numbers than float32."""
    for key, value in module.state_dict().items():
        if value.is_meta:
            raise UserError("this module has no weights to write: it is on the meta device")
        if value.is_floating_point() and value.dtype != torch.float32:
            kind = str(value.dtype).removeprefix("torch.")
            raise UserError(
                f"{key} is {kind}, weights are written as float32; convert the module first"
            )


def _changed(blueprint: Blueprint[Any], graphs: Graphs) -> tuple[str, ...]:
    """How the module is not what its name says."""
    found = difference(of_blueprint(blueprint), graphs)
    if found is None:
        return ()
    return (f"this module has, unlike {blueprint.name}, {in_words(found)}",)


def _layout(source: str, blueprint: Blueprint[Any]) -> Layout:
    """The library's layout for a network: the one that means it, if there are several."""
    shapes = shapes_of(blueprint)
    layouts = LAYOUTS.get(blueprint.family.name, ())
    fit = [la for la in layouts if source in la.sources and theirs(la, shapes) is not None]
    if not fit:
        raise UserError(f"{source} has no keys for {blueprint.name}; save it as convatlas")
    return max(fit, key=lambda la: blueprint.name in la.networks)


def _tensors(module: nn.Module, layout: Layout) -> dict[str, Tensor]:
    """What the file holds, in the order of the layout's own files."""
    state = {k: v.detach().cpu().contiguous() for k, v in module.state_dict().items()}
    if layout is OURS:
        return state
    names = theirs(layout, {key: tuple(value.shape) for key, value in state.items()})
    assert names is not None
    values = {other: state[key] for key, other in names.items()}
    shaped = {k: v[:, :, None, None] if k in layout.pointwise else v for k, v in values.items()}
    constants = dict(_constants(module, layout))
    made: dict[str, Tensor] = {}
    for key in layout.ordered(shaped):
        made[key] = shaped[key]
        part = key.rpartition(".")[0]
        made |= {k: v for k, v in constants.items() if k.rpartition(".")[0] == part}
    return made


def _constants(module: nn.Module, layout: Layout) -> Iterator[tuple[str, Tensor]]:
    """Buffers that ours does not save and theirs does; they follow the tensors beside them."""
    for key, value in module.named_buffers() if layout.constants else ():
        name = renamed([key], layout.constants)
        if name is not None:
            yield name[key], value.detach().cpu().flatten()


def _write(path: Path, tensors: dict[str, Tensor], strings: dict[str, str]) -> None:
    if path.suffix == SAFE:
        write_atomically(path, safetensors.save(tensors, strings))
        return
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    write_atomically(path, buffer.getvalue())
