"""``convatlas sweep``."""

import click

from convatlas.analysis.sweep import parse_range
from convatlas.cli.output import table_formats
from convatlas.workbench.sweep import sweep


@click.command("sweep")
@click.argument("network")
@click.option("--sides", default="32..512:32", show_default=True, help="Of square pictures.")
@click.option("--batch", "batches", default="1", show_default=True, help="Such as 1,32 or 1..8.")
@click.option("--input", "sizes", multiple=True, metavar="CxHxW", help="For a module of your own.")
@click.option("--training", is_flag=True, help="As it runs in training, with auxiliary heads.")
@table_formats
def command(
    network: str,
    sides: str,
    batches: str,
    sizes: tuple[str, ...],
    training: bool,
    form: str | None,
) -> None:
    """MACs, memory and sizes of NETWORK over input sizes and batches; which sizes it takes.

    \b
    convatlas sweep resnet50 --sides 64..512:64 --batch 1,32
    """
    found = sweep(
        network,
        parse_range(sides, "--sides"),
        parse_range(batches, "--batch"),
        sizes=sizes,
        training=training,
    )
    click.echo(found.text(form))
