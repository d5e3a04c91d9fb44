"""A built-in network to be run, with weights."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.analysis.picture import parse_shape
from convatlas.errors import argued

if TYPE_CHECKING:
    from convatlas.models.family import Task
    from convatlas.runtime.network import Network

DRAWN = "drawn at random (seed 0), batch norm statistics of random pictures"


def built_in(
    name: str, size: str | None = None, classes: int | None = None, weights: Path | None = None
) -> "Network":
    """By name, with the weights of a file, or with drawn ones, which are the same every time.

    ``size``: 3x224x224 or 224, by default as published, or as the file says. Raises `UserError`.
    """
    import torch

    from convatlas import models
    from convatlas.runtime.network import Network
    from convatlas.runtime.settle import settle

    task = task_of(name, size, classes)
    if weights:
        return _loaded(name, weights, task)
    blueprint = models.blueprint(name, task)
    side = blueprint.spec.image_size
    shape = (blueprint.spec.in_channels, side, side)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        module = blueprint.build().eval()
    settle(module, shape)
    return Network(name=name, module=module, shape=shape, source={"weights": DRAWN})


def _loaded(name: str, path: Path, task: "Task") -> "Network":
    from convatlas.checkpoints.load import load_weights
    from convatlas.checkpoints.record import record_of
    from convatlas.models.family import Task
    from convatlas.runtime.network import Network

    module = load_weights(name, path, task=None if task == Task() else task)
    record = record_of(module)
    assert record
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return Network(
        name=name,
        module=module,
        shape=(record.in_channels, record.image_size, record.image_size),
        source={"weights": f"{path.name}, sha256 {checksum}", "layout": record.layout},
    )


def task_of(name: str, size: str | None, classes: int | None = None) -> "Task":
    """What a built-in network is to be adapted to; `UserError` for a size that is no square."""
    from convatlas.models.family import Task

    if size is None:
        return Task(num_classes=classes)
    shape = parse_shape(size)
    if len(shape) not in (1, 3) or len({*shape[-2:]}) != 1:
        raise argued(
            f"{name} is built for squares; give ",
            ("input as (3, 224, 224) or 224", "--input as 3x224x224 or 224"),
            f", given {size!r}",
        )
    return Task(
        num_classes=classes,
        in_channels=shape[0] if shape[1:] else None,
        image_size=shape[-1],
    )
