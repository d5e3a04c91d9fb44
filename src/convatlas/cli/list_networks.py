"""``convatlas list``."""

import click

from convatlas import atlas
from convatlas.cli.output import table_formats
from convatlas.tables import Table, render


@click.command("list")
@table_formats
@click.option("--departures", is_flag=True, help="Also say where each departs from its paper.")
def command(form: str | None, departures: bool) -> None:
    """The networks: year, input, trainable parameters, multiply-adds (MACs), what they are."""
    columns = ["network", "year", "input", "parameters", "MACs", "what it is"]
    more = departures or form is not None  # at a terminal, sources and departures only if asked
    rows = tuple(_row(entry) + (_source(entry) if more else ()) for entry in atlas.entries())
    table = Table((*columns, *(("departures", "source") if more else ())), rows)
    click.echo(render(table, form))


def _row(entry: atlas.Entry) -> tuple[str | int, ...]:
    shape = "x".join(map(str, entry.input))
    return entry.name, str(entry.year), shape, entry.parameters, entry.macs, entry.summary


def _source(entry: atlas.Entry) -> tuple[str, ...]:
    return "; ".join(entry.departures) or "none", entry.paper
