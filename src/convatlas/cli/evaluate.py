"""``convatlas eval``."""

from pathlib import Path
from typing import Any

import click

from convatlas.cli.output import table_formats
from convatlas.tables import Table, render
from convatlas.training.folder import check_run


@click.command("eval")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--part",
    type=click.Choice(("test", "validation", "training")),
    default="test",
    show_default=True,
    help="Reading the test part is noted on the run's card.",
)
@click.option("--device", default="auto", show_default=True)
@table_formats
def command(run: Path, part: str, device: str, form: str | None) -> None:
    """Evaluate the network of RUN on a part of its data, class by class."""
    check_run(run)
    from convatlas.cli.result import confusion_line, error_line, left_out_lines
    from convatlas.workbench import runs  # imports torch

    checked = runs.evaluate(run, part=part, device=device)
    confusion = checked.evaluation.confusion
    rows = tuple(
        (name, int(row.sum()), int(row.sum() - row[index]), _percent(row, index))
        for index, (name, row) in enumerate(zip(checked.card.classes, confusion, strict=True))
    )
    click.echo(render(Table(("class", "pictures", "wrong", "error %"), rows), form))
    if form is None:
        click.echo(error_line(part, checked.evaluation))
        click.echo(f"top-5       {checked.evaluation.top5_errors:,} wrong")
        click.echo(confusion_line(checked.evaluation, checked.card.classes))
        click.echo(f"test set    opened {len(checked.card.test_openings)} times so far")
        click.echo("\n".join(left_out_lines(checked.card)), nl=bool(left_out_lines(checked.card)))


def _percent(row: Any, index: int) -> float:
    count = int(row.sum())
    return round(100 * (count - int(row[index])) / count, 2) if count else 0.0
