"""``convatlas check``."""

import sys
from pathlib import Path

import click

from convatlas.cli.output import table_formats
from convatlas.errors import UserError
from convatlas.notes.statements import statements
from convatlas.tables import Table, render

LARGEST = 20_000_000  # bytes of a note


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--all", "every", is_flag=True, help="Also what is right.")
@table_formats
def command(file: Path, every: bool, form: str | None) -> None:
    """Re-compute every arithmetic statement of a note, text or Markdown; - reads standard input.

    English or Chinese, with ×, x, *, ·, /, powers, brackets, ⌊ ⌋, LaTeX, thousands separators,
    K, M, million, 万, 亿, %, and chains of = and ≈. Names that the same paragraph gives a number
    are put in. A decimal comma is read where it can be nothing else (0,5 or 25,6 million, but
    25,557,032 in full), and said. Exit status 1 if a statement is wrong.
    """
    found = list(statements(_read(file)))
    listed = [s for s in found if every or form or not s.verdict.startswith("right")]
    rows = tuple((s.line, s.text, s.verdict, s.value) for s in listed)
    table = Table(("line", "statement", "verdict", "comes to"), rows)
    if form:
        read = ((*row, s.read) for row, s in zip(rows, listed, strict=True))
        table = Table((*table.columns, "read as"), tuple(read))
    if form or rows:
        click.echo(render(table, form))
    if not form:
        counts = [
            f"{sum(s.verdict == verdict for s in found)} {verdict}"
            for verdict in dict.fromkeys(s.verdict for s in found)
        ]
        click.echo(f"{len(found)} statements{': ' if counts else ''}{'; '.join(counts)}")
        for statement in found:
            if statement.read:
                click.echo(f"line {statement.line}: {statement.read}")
    if any(s.verdict == "wrong" for s in found):
        sys.exit(1)


def _read(file: Path) -> str:
    try:
        blob = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        if len(blob) > LARGEST:
            raise UserError(f"{file} has {len(blob):,} bytes; a note has {LARGEST:,} at the most")
        return blob.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{file} is no text in UTF-8; convert it first") from None
