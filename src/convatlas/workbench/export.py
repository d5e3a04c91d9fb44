"""Exporting a built-in network, a run, or a network of one's own."""

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.errors import UserError, argued
from convatlas.files import check_readable
from convatlas.runtime.form import Form
from convatlas.runtime.format_names import format_of, target
from convatlas.workbench.ask import Sizes, texts_of
from convatlas.workbench.built_in import built_in
from convatlas.workbench.given import Given as Given
from convatlas.workbench.given import check_given, with_input
from convatlas.workbench.int8 import Int8, check, plan

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.export import Receipt
    from convatlas.runtime.network import Network
    from convatlas.training.run import Trained


def export(
    what: "str | Path | nn.Module",
    to: str | None = None,
    out: Path | str | None = None,
    form: Form | None = None,
    given: Given = Given(),  # noqa: B008 - a frozen value
    int8: Int8 | None = None,
    *,
    input: Sizes | None = None,
) -> "Receipt":
    """Write a network, run what was written, compare, and keep it if it is equal.

    ``what``: a run folder, a built-in network by name, ``package.module:name``, or a module.
    ``out`` has the format's suffix put on it; by default it is the network's name. ``to``: by
    default what the suffix of ``out`` says, else a bundle. ``input``: the network's, as in `Given`.
    ``int8``: the pictures to quantise with, and how much may be lost. Raises `UserError`.
    """
    started = time.perf_counter()
    for said, kind in ((form, Form), (int8, Int8)):
        if said is not None and not isinstance(said, kind):
            raise UserError(f"expected a convatlas.{kind.__name__}, given {said!r}")
    path = Path(out) if out else None
    to = format_of(to, path)
    given = with_input(given, input)
    check_given(what, given)
    if path:
        target(path, to)
    if int8:
        check(int8, to)
    from convatlas.runtime.export import export as write  # imports torch

    what = str(what) if isinstance(what, Path) else what
    network = network_of(what, given)
    name = network.name.rpartition(":")[2]  # of package.module:name
    asked = plan(what, network, int8) if int8 else None
    receipt = write(network, to, path or Path(name), form or Form(), asked)
    return dataclasses.replace(receipt, seconds=time.perf_counter() - started)


def network_of(
    what: "str | Path | nn.Module",
    given: Given = Given(),  # noqa: B008 - a frozen value
) -> "Network":
    """The network with its preparation, labels and real pictures where there are any.

    A built-in one without weights has drawn ones, the same every time, and batch norm statistics
    of random pictures. Raises `UserError`, without torch where that can be told.
    """
    check_given(what, given)
    what = str(what) if isinstance(what, Path) else what
    if isinstance(what, str) and Path(what).is_dir():
        network = _of_run(what, given)
    elif not isinstance(what, str) or ":" in what:
        network = _prepared(_own(what, given), given)
    else:
        weights = Path(given.weights) if given.weights else None
        size = None if given.input is None else " and ".join(texts_of(given.input))
        network = _prepared(built_in(what, size, given.classes, weights), given)
    return _shown(network, given) if given.pictures else network


def _of_run(folder: str, given: Given) -> "Network":
    from convatlas.training.run import load_run
    from convatlas.workbench.real_pictures import of_run

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

    return own_network(what, given.input)


def _prepared(network: "Network", given: Given) -> "Network":
    """With the labels and the preparation that are given, or the usual one."""
    from convatlas.workbench.own_preparation import preparation_of

    found = preparation_of(network, _each(given.mean), _each(given.deviation), given.side)
    how, words = (
        found
        if found
        else (None, "not said: pictures are prepared to squares, 1 or 3 channels deep")
    )
    return dataclasses.replace(
        network,
        preparation=how,
        labels=_labels(Path(given.labels), network) if given.labels else (),
        source={**network.source, "preparation": words},
    )


def _each(said: tuple[float, ...] | float | None) -> tuple[float, ...] | None:
    """One number is for all channels."""
    return (said,) if isinstance(said, int | float) else said


def _labels(path: Path, network: "Network") -> tuple[str, ...]:
    """One class a line, as many as the network has."""
    from convatlas.runtime.network import random_pixels

    check_readable(path)
    try:
        lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    except UnicodeDecodeError:
        raise UserError(f"cannot read the labels in {path}: it is no UTF-8 text") from None
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
        raise argued(
            ("pictures", "--pictures"),
            f" needs squares of 1 or 3 channels; {network.name} takes others",
        )
    folder = Path(given.pictures)
    pictures = of_folder(folder, network.shape[0], network.preparation.side)
    source = {**network.source, "pictures": f"folder:{folder.resolve().name}"}
    return dataclasses.replace(network, pictures=pictures, source=source)
