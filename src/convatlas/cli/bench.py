"""``convatlas bench``."""

import click

from convatlas.cli.output import table_formats
from convatlas.errors import UserError
from convatlas.tables import render


@click.command("bench")
@click.argument("networks", nargs=-1, required=True, metavar="NET…")
@click.option("--batch", "batches", default="1", show_default=True, help="Such as 1,32.")
@click.option("--engines", default="", help="Such as eager,onnxruntime; by default all there are.")
@click.option("--threads", type=click.IntRange(1), help="By default as many as torch takes.")
@table_formats
def command(
    networks: tuple[str, ...], batches: str, engines: str, threads: int | None, form: str | None
) -> None:
    """How fast the engines of this machine run networks, each a name or a run folder.

    Blocks of at least 0.3 s alternate; the median stands beside the least and the most. An engine
    that computes something else than torch eager is refused.
    """
    from convatlas.workbench.bench import bench, table  # imports torch

    try:
        counts = [int(part) for part in batches.split(",")]
    except ValueError:
        raise UserError(f"--batch takes numbers, like 1,32; given {batches!r}") from None
    names = [name for name in engines.split(",") if name]
    click.echo(render(table(bench(networks, counts, names, threads=threads)), form))
