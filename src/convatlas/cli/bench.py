"""``convatlas bench``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from convatlas.cli.int8 import asked, int8_options
from convatlas.cli.now import Now
from convatlas.cli.output import table_formats
from convatlas.cli.threads import threads_option
from convatlas.errors import UserError
from convatlas.runtime.measure import Effort
from convatlas.tables import render
from convatlas.workbench.bench import How, bench
from convatlas.workbench.bench_table import SPREAD, busy, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convatlas.workbench.bench import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    networks: tuple[str, ...]
    batches: str
    engines: str | None
    size: str | None
    threads: int | None
    cold: bool
    budget: float
    limit: float
    int8: str | None
    max_drop: float
    min_agreement: float | None
    form: str | None


@click.command("bench")
@click.argument("networks", nargs=-1, required=True, metavar="NET…")
@click.option("--batch", "batches", default="1", show_default=True, help="Such as 1,32.")
@click.option("--engines", help="Such as eager,onnxruntime; by default all there are.")
@click.option("--input", "size", help="3x224x224; needed for a network of your own.")
@threads_option("By default as many as torch takes", times=1)
@click.option("--cold", is_flag=True, help="Start each engine afresh too: seconds and memory.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    default=120,
    show_default=True,
    help="Seconds for building engines that were not named.",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0),
    default=120,
    show_default=True,
    help="Seconds for measuring a network at a batch; each engine has one block at least.",
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
    arguments = Arguments(**given)
    how = How(
        threads=arguments.threads,
        effort=Effort(budget=arguments.budget, limit=arguments.limit),
        int8=asked(arguments.int8, arguments.max_drop, arguments.min_agreement),
        cold=arguments.cold,
    )
    form = arguments.form
    with Now(quiet=form is not None) as now:
        found = bench(
            arguments.networks,
            _batches(arguments.batches),
            _engines(arguments.engines),
            how,
            input=arguments.size,
            told=now,
        )
    click.echo(render(table(found, whole=form in ("json", "csv")), form))
    for line in notes(found):
        click.echo(line, err=True)


def _batches(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--batch takes numbers, like 1,32; given {text!r}") from None


def _engines(text: str | None) -> list[str]:
    if text is None:
        return []
    names = [name for name in text.split(",") if name]
    if not names:
        raise UserError(
            "--engines names none; write some, like eager,onnxruntime, or leave it out for all"
        )
    return names


def notes(found: "Sequence[Bench]") -> list[str]:
    """What is to be known of a table: figures that are no facts, and what stands not in it."""
    lines = [f"{b.network}: {b.note}" for b in found if b.note]
    if any(busy(b, each) for b in found for each in b.measured):
        lines.append(
            "warning: this machine was busy, as blocks of one engine differ by more than "
            f"{SPREAD:g} times or its load exceeds its processors; figures in doubt are not to be "
            "trusted: measure again when nothing else runs"
            + (", or with --threads 1" if any(b.threads > 1 for b in found) else "")
        )
    lacking: dict[str, list[str]] = {}
    for name, reason in (pair for b in found for pair in b.left_out.items()):
        lacking.setdefault(reason, []).append(name)
    if lacking:
        each = (f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in lacking.items())
        lines.append(f"not measured here: {' | '.join(each)}")
    return list(dict.fromkeys(lines))
