"""Tables as text, JSON, CSV, Markdown, LaTeX and HTML."""

import csv
import io
import json
from dataclasses import dataclass
from html import escape

LATEX_SPECIAL = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of the same length; numbers stand right-aligned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]


def render(table: Table, form: str | None) -> str:
    """The table as text in a format; ``None`` is for people at a terminal."""
    if form == "json":
        records = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        return json.dumps(records, indent=1, ensure_ascii=False)
    if form == "csv":
        sheet = io.StringIO()
        csv.writer(sheet, lineterminator="\n").writerows([table.columns, *table.rows])
        return sheet.getvalue().rstrip("\n")
    if form == "md":
        return _markdown(table)
    if form == "html":
        return _html(table)
    return _latex(table) if form == "latex" else _text(table)


def _cells(row: tuple[str | int | float, ...]) -> list[str]:
    return [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row]


def _numeric(table: Table) -> list[bool]:
    """Which columns hold numbers, a few empty cells allowed."""
    return [
        any(isinstance(row[place], int | float) for row in table.rows)
        and all(isinstance(row[place], int | float) or row[place] == "" for row in table.rows)
        for place in range(len(table.columns))
    ]


def _markdown(table: Table) -> str:
    rule = ["---:" if numeric else "---" for numeric in _numeric(table)]
    rows = [[cell.replace("|", "\\|") for cell in _cells(row)] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([*table.columns], rule, *rows))


def _html(table: Table) -> str:
    """A table without any style, its numbers to the right."""
    side = [' align="right"' if numeric else "" for numeric in _numeric(table)]
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = (
        "".join(f"<td{at}>{escape(cell)}</td>" for at, cell in zip(side, _cells(row), strict=True))
        for row in table.rows
    )
    lines = "\n".join(f"<tr>{row}</tr>" for row in (head, *rows))
    return f"<table>\n{lines}\n</table>"


def _latex(table: Table) -> str:
    columns = "".join("r" if numeric else "l" for numeric in _numeric(table))
    lines = [
        " & ".join(cell.translate(LATEX_SPECIAL) for cell in row) + r" \\"
        for row in ([*table.columns], *map(_cells, table.rows))
    ]
    body = "\n".join([lines[0], r"\hline", *lines[1:]])
    return f"\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}"


def _text(table: Table) -> str:
    rows = [list(table.columns), *map(_cells, table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    align = ["rjust" if numeric else "ljust" for numeric in _numeric(table)]
    return "\n".join(
        "  ".join(
            getattr(cell, side)(width) for cell, side, width in zip(row, align, widths, strict=True)
        ).rstrip()
        for row in rows
    )
