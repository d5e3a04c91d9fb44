"""``convatlas show``."""

import click

from convatlas.cli.output import table_formats
from convatlas.workbench.broken import BrokenOff
from convatlas.workbench.show import show, show_broken


@click.command("show")
@click.argument("network")
@click.option("--input", "sizes", multiple=True, metavar="CxHxW", help="Such as 3x224x224, or 224.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True)
@click.option("--training", is_flag=True, help="As it runs in training, with auxiliary heads.")
@click.option(
    "--depth", type=click.IntRange(1), help="One row for each module so many levels down."
)
@click.option("--all", "every", is_flag=True, help="Every repeated block by itself.")
@click.option("--stages", is_flag=True, help="One row for each size of map, with shares.")
@click.option("--formula", is_flag=True, help="Also how each figure comes about.")
@table_formats
def command(  # noqa: PLR0913 - one for each option
    network: str,
    sizes: tuple[str, ...],
    batch: int,
    training: bool,
    depth: int | None,
    every: bool,
    stages: bool,
    formula: bool,
    form: str | None,
) -> None:
    """Every layer of NETWORK: output, parameters, MACs, memory, receptive field.

    NETWORK is a name (see `convatlas list`) or package.module:function of your own, which needs
    --input. Repeated blocks are folded (×12) but for --csv and --json. A network that fails at its
    input is shown up to the layer that fails; one that branches on values, for one drawn picture.
    """
    try:
        found = show(
            network,
            sizes,
            batch=batch,
            training=training,
            depth=depth,
            fold=not every and form not in ("csv", "json"),
            formulas=formula,
            by_stage=stages,
        )
    except BrokenOff as error:
        click.echo(show_broken(error, form, formulas=formula))
        raise
    click.echo(found.text(form))
