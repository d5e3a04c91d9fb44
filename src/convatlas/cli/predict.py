"""``convatlas predict``."""

import json
from pathlib import Path

import click


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="Classes shown.")
@click.option("--invert", is_flag=True, help="Turn dark ink on light paper into light on dark.")
@click.option("--json", "as_json", is_flag=True)
def command(run: Path, images: tuple[Path, ...], top: int, invert: bool, as_json: bool) -> None:
    """Classify picture files of any size and mode with the network of RUN.

    Files that cannot be read are named with the reason, the others are done; the exit status is
    then 2.
    """
    from convatlas.workbench import runs  # imports torch

    predictions = runs.predict(run, images, top=top, invert=invert)
    if as_json:
        records = [
            {
                "path": p.path,
                "guesses": [{"class": g.label, "probability": g.probability} for g in p.guesses],
                "error": p.error,
            }
            for p in predictions
        ]
        click.echo(json.dumps(records, indent=1, ensure_ascii=False))
    else:
        for p in predictions:
            guesses = ", ".join(f"{g.label} {g.probability:.1%}" for g in p.guesses)
            click.echo(
                f"error: {p.path}: {p.error}" if p.error else f"{p.path}  {guesses}",
                err=bool(p.error),
            )
    if any(p.error for p in predictions):
        raise SystemExit(2)
