"""``convatlas bench``."""

from dataclasses import dataclass
from typing import Any

import click

from convatlas.cli.int8 import asked, int8_options
from convatlas.cli.output import table_formats
from convatlas.errors import UserError
from convatlas.tables import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    networks: tuple[str, ...]
    batches: str
    engines: str
    size: str | None
    threads: int | None
    cold: bool
    budget: float
    int8: str | None
    max_drop: float
    min_agreement: float | None
    form: str | None


@click.command("bench")
@click.argument("networks", nargs=-1, required=True, metavar="NET…")
@click.option("--batch", "batches", default="1", show_default=True, help="Such as 1,32.")
@click.option("--engines", default="", help="Such as eager,onnxruntime; by default all there are.")
@click.option("--input", "size", help="3x224x224; needed for a network of your own.")
@click.option("--threads", type=click.IntRange(1), help="By default as many as torch takes.")
@click.option("--cold", is_flag=True, help="Start each engine afresh too: seconds and memory.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    default=120,
    show_default=True,
    help="Seconds for building engines that were not named.",
)
@int8_options
@table_formats
def command(**given: Any) -> None:
    """How fast the engines of this machine run networks.

    Each is a built-in one by name, a run folder, or your own as package.module:name.
    Blocks of at least 0.3 s alternate; the median stands beside the least and the most. An engine
    that computes something else than torch eager is refused; with --int8, engines in int8 are
    measured too, and what they lose is said.
    """
    from convatlas.runtime.measure import Effort
    from convatlas.workbench.bench import How, bench, table  # imports torch

    arguments = Arguments(**given)
    try:
        counts = [int(part) for part in arguments.batches.split(",")]
    except ValueError:
        raise UserError(f"--batch takes numbers, like 1,32; given {arguments.batches!r}") from None
    names = [name for name in arguments.engines.split(",") if name]
    int8 = asked(arguments.int8, arguments.max_drop, arguments.min_agreement)
    how = How(
        size=arguments.size,
        threads=arguments.threads,
        effort=Effort(budget=arguments.budget),
        int8=int8,
        cold=arguments.cold,
    )
    found = bench(arguments.networks, counts, names, how)
    click.echo(render(table(found), arguments.form))
    for name, note in dict.fromkeys((each.network, each.note) for each in found if each.note):
        click.echo(f"{name}: {note}", err=True)
