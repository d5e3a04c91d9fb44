"""Exporting a built-in network, a run, or a network of one's own."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.analysis.picture import parse_shape
from convatlas.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from convatlas.models.family import Task
    from convatlas.runtime.export import Receipt
    from convatlas.runtime.network import Network
    from convatlas.runtime.onnx_file import Form
    from convatlas.training.run import Trained
    from convatlas.workbench.int8 import Int8

DRAWN = "drawn at random (seed 0), batch norm statistics of random pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is said of a network beside its name; a run says all but ``pictures`` itself.

    ``input``: ``3x224x224``, or ``224`` for a built-in network; its published size by default.
    ``weights``: a file that `convatlas.load_weights` reads. ``labels``: a file, one class a line.
    ``pictures``: a folder of pictures to compare on. ``mean``, ``deviation``, ``side``: how
    pictures are prepared, pixels from 0 to 1, after bringing their shorter side to ``side``.
    """

    input: str | None = None
    classes: int | None = None
    weights: Path | None = None
    labels: Path | None = None
    pictures: Path | None = None
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    side: int | None = None


def export(
    what: "str | nn.Module",
    to: str = "bundle",
    out: Path | str | None = None,
    form: "Form | None" = None,
    given: Given = Given(),
    int8: "Int8 | None" = None,
) -> "Receipt":
    """Write a network, run what was written, compare, and keep it if it is equal.

    ``what``: a run folder, a built-in network by name, ``package.module:name``, or a module.
    ``out`` has the format's suffix put on it; by default it is the network's name. ``int8``: the
    pictures to quantise with, and how much may be lost. Raises `UserError`.
    """
    from convatlas.runtime.export import export as write
    from convatlas.runtime.onnx_file import Form
    from convatlas.workbench.int8 import check, plan

    if int8:
        check(int8, to)
    network = network_of(what, given)
    name = network.name.rpartition(":")[2]  # of package.module:name
    asked = plan(what, network, int8) if int8 else None
    return write(network, to, Path(out) if out else Path(name), form or Form(), asked)


def network_of(what: "str | nn.Module", given: Given = Given()) -> "Network":
    """The network with its preparation, labels and real pictures where there are any.

    A built-in one without weights has drawn ones, the same every time, and batch norm statistics
    of random pictures. Raises `UserError`.
    """
    if isinstance(what, str) and Path(what).is_dir():
        network = _of_run(what, given)
    elif not isinstance(what, str) or ":" in what:
        network = _prepared(_own(what, given), given)
    elif "/" in what:
        raise UserError(
            f"there is no run folder {what}; give one, a network of `convatlas list`, or "
            "package.module:name"
        )
    else:
        network = _prepared(_built_in(what, given), given)
    return _shown(network, given) if given.pictures else network


def _of_run(folder: str, given: Given) -> "Network":
    from convatlas.training.run import load_run
    from convatlas.workbench.real_pictures import of_run

    said = [
        field.name
        for field in dataclasses.fields(given)
        if field.name != "pictures" and getattr(given, field.name) is not None
    ]
    if said:
        raise UserError(f"the run {folder} has its own {said[0]}; leave --{said[0]} out")
    run = load_run(Path(folder))
    network = trained_network(run)
    pictures = None if given.pictures else of_run(run.card)
    if pictures is None:
        return network
    source = {**network.source, "pictures": f"{run.card.data.name}, not its test part"}
    return dataclasses.replace(network, pictures=pictures, source=source)


def trained_network(run: "Trained") -> "Network":
    """A run's network with its preparation and labels; its data is not read."""
    from convatlas.runtime.bundle import Preparation, figures
    from convatlas.runtime.network import Network

    card, how = run.card, run.preprocess
    side = (card.recipe.crop or card.data.side) + 2 * how.pad
    return Network(
        name=card.network.name,
        module=run.model,
        shape=(card.network.in_channels, side, side),
        labels=card.classes,
        preparation=Preparation(
            side=card.data.side,
            crop=card.recipe.crop,
            pad=how.pad,
            mean=figures(how.mean.numpy()),
            deviation=figures(how.deviation.numpy()),
        ),
        source={
            "weights": f"trained on {card.data.name}, sha256 of the tensors {card.weights_sha256}",
            "run": str(run.folder.path),
            "preparation": f"that of the run ({how.kind})",
        },
    )


def _own(what: "str | nn.Module", given: Given) -> "Network":
    from convatlas.workbench.own_module import own_network

    for name in ("weights", "classes"):
        if getattr(given, name) is not None:
            raise UserError(
                f"--{name} is for networks of `convatlas list`; a network of one's own sets its "
                f"{name} in its code"
            )
    return own_network(what, given.input)


def _built_in(name: str, given: Given) -> "Network":
    """By name, with the weights of a file or drawn ones."""
    import torch

    from convatlas import models
    from convatlas.runtime.network import Network
    from convatlas.runtime.settle import settle

    task = _task(name, given)
    if given.weights:
        return _loaded(name, given.weights, task)
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


def _task(name: str, given: Given) -> "Task":
    from convatlas.models.family import Task

    if given.input is None:
        return Task(num_classes=given.classes)
    shape = parse_shape(given.input)
    if len(shape) not in (1, 3) or len({*shape[-2:]}) != 1:
        raise UserError(
            f"{name} is built for squares; give --input as 3x224x224 or 224, given {given.input!r}"
        )
    return Task(
        num_classes=given.classes,
        in_channels=shape[0] if shape[1:] else None,
        image_size=shape[-1],
    )


def _prepared(network: "Network", given: Given) -> "Network":
    """With the labels and the preparation that are given, or the usual one."""
    from convatlas.workbench.own_preparation import preparation_of

    found = preparation_of(network, given.mean, given.deviation, given.side)
    how, words = (
        found
        if found
        else (None, "not said: pictures are prepared to squares, 1 or 3 channels deep")
    )
    return dataclasses.replace(
        network,
        preparation=how,
        labels=_labels(given.labels, network) if given.labels else (),
        source={**network.source, "preparation": words},
    )


def _labels(path: Path, network: "Network") -> tuple[str, ...]:
    """One class a line, as many as the network has."""
    from convatlas.runtime.network import random_pixels

    try:
        lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UserError(f"cannot read the labels in {path}: {said}") from None
    labels = tuple(line.strip() for line in lines)
    classes = network.eager(random_pixels((1, *network.shape))).shape[1]
    if len(labels) != classes:
        raise UserError(
            f"{path} has {len(labels)} lines, {network.name} has {classes} classes; "
            "write one class a line"
        )
    return labels


def _shown(network: "Network", given: Given) -> "Network":
    """With real pictures of a folder to compare on."""
    from convatlas.workbench.real_pictures import of_folder

    assert given.pictures
    if network.preparation is None:
        raise UserError(f"--pictures needs squares of 1 or 3 channels; {network.name} takes others")
    pictures = of_folder(given.pictures, network.shape[0], network.preparation.side)
    source = {**network.source, "pictures": str(given.pictures)}
    return dataclasses.replace(network, pictures=pictures, source=source)
