"""``convatlas resume``."""

from pathlib import Path

import click

from convatlas.training.folder import check_begun


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--checkpoint-every", type=click.IntRange(1), metavar="STEPS")
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON, no progress.")
def command(run: Path, checkpoint_every: int | None, as_json: bool) -> None:
    """Go on with the unfinished RUN from its last checkpoint, as if it had never stopped."""
    check_begun(run)
    from convatlas.cli.training import resume_and_show  # imports torch

    resume_and_show(run, checkpoint_every, as_json=as_json)
