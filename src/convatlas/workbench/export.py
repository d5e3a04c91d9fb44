"""Exporting a built-in network, a run, or a network of one's own."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.errors import UserError
from convatlas.workbench.built_in import built_in

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.export import Receipt
    from convatlas.runtime.network import Network
    from convatlas.runtime.onnx_file import Form
    from convatlas.training.run import Trained
    from convatlas.workbench.int8 import Int8


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
        network = _prepared(built_in(what, given.input, given.classes, given.weights), given)
    return _shown(network, given) if given.pictures else network


def _of_run(folder: str, given: Given) -> "Network":
    from convatlas.training.run import load_run
    from convatlas.workbench.real_pictures import of_run

    for field in dataclasses.fields(given):
        if field.name != "pictures" and getattr(given, field.name) is not None:
            option = "std" if field.name == "deviation" else field.name
            raise UserError(f"the run {folder} has its own {option}; leave --{option} out")
    run = load_run(Path(folder))
    network = trained_network(run)
    pictures = None if given.pictures else of_run(run.card)
    if pictures is None:
        return network
    source = {**network.source, "pictures": f"{_short(run.card.data.name)}, not its test part"}
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
            "weights": f"trained on {_short(card.data.name)}, sha256 of the tensors "
            f"{card.weights_sha256}",
            "run": run.folder.path.resolve().name,
            "preparation": f"that of the run ({how.kind})",
        },
    )


def _short(data: str) -> str:
    """A folder without where it lies: a bundle is given to others."""
    return f"folder:{Path(data).name}" if data.startswith("folder:") else data


def _own(what: "str | nn.Module", given: Given) -> "Network":
    from convatlas.workbench.own_module import own_network

    for name in ("weights", "classes"):
        if getattr(given, name) is not None:
            raise UserError(
                f"--{name} is for networks of `convatlas list`; a network of one's own sets its "
                f"{name} in its code"
            )
    return own_network(what, given.input)


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
    source = {**network.source, "pictures": f"folder:{given.pictures.resolve().name}"}
    return dataclasses.replace(network, pictures=pictures, source=source)
