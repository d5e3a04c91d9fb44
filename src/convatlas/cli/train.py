"""``convatlas train``."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from convatlas.training.recipe import Recipe

RECIPE_FIELDS = ("epochs", "batch", "lr", "validation", "pad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    network: str
    data: str
    recipe: str | None
    epochs: int | None
    batch: int | None
    lr: float | None
    validation: float | None
    pad: int | None
    size: int | None
    seed: int
    seeds: int | None
    device: str
    out: Path | None
    checkpoint_every: int | None
    select_on_test: bool
    as_json: bool


@click.command("train")
@click.argument("network")
@click.option("--data", default="mnist", show_default=True, help="A data set, or folder:PATH.")
@click.option("--recipe", help="A built-in recipe or a .toml file [default: the network's usual].")
@click.option("--epochs", type=int, help="Passes over the training part.")
@click.option("--batch", type=int, help="Pictures a step.")
@click.option("--lr", type=float, help="The schedule's highest learning rate.")
@click.option("--validation", type=float, help="Share of the training set to choose on.")
@click.option("--pad", type=int, help="Frame of zeros around each picture, in pixels.")
@click.option("--size", type=int, help="Bring a folder's pictures to this side.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--seeds", type=click.IntRange(2), help="Train with that many seeds from --seed on.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--out", type=click.Path(path_type=Path), help="A new folder [default: runs/...].")
@click.option(
    "--checkpoint-every",
    type=click.IntRange(1),
    metavar="STEPS",
    help="Steps between checkpoints inside an epoch [default: 30 seconds].",
)
@click.option("--select-on-test", is_flag=True, help="Choose on the test set; the card says so.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON, no progress.")
def command(**given: Any) -> None:
    """Train NETWORK and leave a run folder: recipe, metrics, model with its card, report.

    A validation part is cut from the training set for every choice; the test set is read once,
    at the end. Ctrl-C stops after the current step and leaves a run that can be resumed.
    """
    from convatlas.data.shipped import read_mnist_train  # numpy

    arguments = Arguments(**given)
    recipe = _checked(arguments)
    # MNIST is unpacked in a thread while this one imports torch: two waits become one.
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read_mnist_train) if _is_mnist(arguments) else None
        from convatlas.cli.training import train_and_show

        train_and_show(arguments, recipe, ahead)


def _checked(arguments: Arguments) -> "Recipe":
    """The recipe; `UserError` for names and folders that are none, before torch is imported."""
    from convatlas import atlas
    from convatlas.data.names import check_data
    from convatlas.files import check_new
    from convatlas.training.recipe import changed
    from convatlas.training.recipes import recipe_for

    atlas.entry(arguments.network)
    given = {field: getattr(arguments, field) for field in RECIPE_FIELDS}
    changes = {field: value for field, value in given.items() if value is not None}
    recipe = changed(recipe_for(arguments.network, arguments.recipe), changes)
    check_data(arguments.data)
    if arguments.out:
        check_new(arguments.out)
    return recipe


def _is_mnist(arguments: Arguments) -> bool:
    """Whether the set in the package is wanted as it is, for one run."""
    return arguments.data == "mnist" and arguments.size is None and arguments.seeds is None
