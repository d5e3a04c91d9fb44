"""``convatlas compare``."""

from pathlib import Path

import click

from convatlas.cli.output import table_formats
from convatlas.workbench.compare import compare


@click.command("compare")
@click.argument("networks", nargs=-1, required=True)
@click.option("--input", "sizes", multiple=True, metavar="CxHxW", help="One for all of them.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True)
@click.option("--picture", type=click.Path(path_type=Path), help="A scatter plot, .svg or .png.")
@table_formats
def command(
    networks: tuple[str, ...],
    sizes: tuple[str, ...],
    batch: int,
    picture: Path | None,
    form: str | None,
) -> None:
    """NETWORKS side by side: size, work, memory, field, and ratios to the first of them.

    Each at its own published input unless --input is given.
    """
    found = compare(networks, sizes, batch=batch)
    if picture:
        found.draw(picture)
    click.echo(found.text(form))
    if picture and not form:
        click.echo(f"picture  {picture}")
