"""Exporting a built-in network, a run, or a network of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.errors import UserError

if TYPE_CHECKING:
    from convatlas.runtime.export import Receipt
    from convatlas.runtime.network import Network
    from convatlas.runtime.onnx_file import Form


def export(
    what: str, to: str = "bundle", out: Path | str | None = None, form: "Form | None" = None
) -> "Receipt":
    """Write a run's network, or a built-in one with drawn weights, and compare what was written.

    ``out`` has the format's suffix put on it; by default it is the network's name. Raises
    `UserError`.
    """
    from convatlas.runtime.export import export as write
    from convatlas.runtime.onnx_file import Form

    network = network_of(what)
    return write(network, to, Path(out) if out else Path(network.name), form or Form())


def network_of(what: str) -> "Network":
    """A run folder's network with its preparation and labels, or a built-in one by name.

    A built-in one has drawn weights, and batch norm statistics of random pictures.
    """
    from convatlas import models
    from convatlas.runtime.network import Network
    from convatlas.runtime.settle import settle

    if Path(what).is_dir():
        return _of_run(Path(what))
    if "/" in what:
        raise UserError(
            f"there is no run folder {what}; give one, or a network of `convatlas list`"
        )
    blueprint = models.blueprint(what)
    side = blueprint.spec.image_size
    shape = (blueprint.spec.in_channels, side, side)
    module = blueprint.build().eval()
    settle(module, shape)
    return Network(name=what, module=module, shape=shape)


def _of_run(folder: Path) -> "Network":
    from convatlas.runtime.bundle import Preparation, figures
    from convatlas.runtime.network import Network
    from convatlas.training.run import load_run

    run = load_run(folder)
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
    )
