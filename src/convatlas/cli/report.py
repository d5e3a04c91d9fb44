"""``convatlas report``."""

import json
from pathlib import Path

import click

from convatlas.training.folder import check_run


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def command(run: Path, as_json: bool) -> None:
    """Draw the report of RUN again from what the run holds; no data set is read."""
    check_run(run)
    from convatlas.workbench import runs  # imports torch

    path = runs.report(run)
    click.echo(json.dumps({"report": str(path)}) if as_json else path)
