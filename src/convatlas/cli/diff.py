"""``convatlas diff``."""

import sys

import click

from convatlas.cli.output import table_formats
from convatlas.workbench.diff import diff


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--input", "sizes", multiple=True, metavar="CxHxW", help="By default that of A.")
@click.option("--training", is_flag=True, help="As they run in training, with auxiliary heads.")
@table_formats
def command(a: str, b: str, sizes: tuple[str, ...], training: bool, form: str | None) -> None:
    """What differs between the networks A and B by meaning, not by the names of their modules.

    Kernels, strides, padding, rounding, eps, momentum, activations, dropout, pooling,
    normalisation, wiring, and what each difference does to parameters, MACs and receptive field.
    Exit status 1 if there is a difference.

    \b
    convatlas diff resnet50 resnet50@torchvision
    """
    found = diff(a, b, sizes, training=training)
    click.echo(found.text(form))
    if not found.difference.same:
        sys.exit(1)
