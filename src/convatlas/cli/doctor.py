"""``convatlas doctor``."""

import sys

import click

from convatlas.cli.output import table_formats
from convatlas.workbench.doctor import doctor


@click.command("doctor")
@click.argument("network")
@click.option("--input", "sizes", multiple=True, metavar="CxHxW", help="Such as 1x28x28, or 28.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True)
@click.option("--training", is_flag=True, help="As it runs in training.")
@table_formats
def command(
    network: str, sizes: tuple[str, ...], batch: int, training: bool, form: str | None
) -> None:
    """What is wrong with NETWORK at an input, and the smallest change that mends it.

    Layers of your own module that do not fit one another, maps that vanish or shrink to a pixel,
    dense layers of another size, pixels and positions that are never read, weights that meet only
    padding, holes in the receptive field, batch normalisation of single values. Exit status 1 if
    the input is not taken.
    """
    report = doctor(network, sizes, batch=batch, training=training)
    click.echo(report.text(form))
    if any(finding.weight == "error" for finding in report.examination.findings):
        sys.exit(1)
