"""Tables as text, JSON, CSV, Markdown, LaTeX and HTML."""

import csv
import io
import json
import re
from dataclasses import dataclass
from html import escape

LATEX_SPECIAL = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"→": r"$\to$", "×": r"$\times$", "−": "$-$", "·": r"$\cdot$", "…": r"\ldots{}"}
    | {"⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$"}
    | {"≤": r"$\le$", "≥": r"$\ge$", "²": "$^2$", "<": r"\textless{}", ">": r"\textgreater{}"}
    | {"\n": " "}
)
PAGE = 40  # rows of a LaTeX table that still fit on one page
MARKDOWN = re.compile(r"[\\`*<>\[\]|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")

NO_NUMBER = ("", "unknown")


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
    """Which columns hold numbers, a few cells that have none allowed."""
    return [
        any(isinstance(row[place], int | float) for row in table.rows)
        and all(
            isinstance(row[place], int | float) or row[place] in NO_NUMBER for row in table.rows
        )
        for place in range(len(table.columns))
    ]


def _indent(cell: str, space: str) -> tuple[str, str]:
    """Leading spaces as a format keeps them, and the rest of a cell."""
    rest = cell.lstrip(" ")
    return space * (len(cell) - len(rest)), rest


def _markdown(table: Table) -> str:
    rule = ["---:" if numeric else "---" for numeric in _numeric(table)]
    rows = [[_markdown_cell(cell) for cell in row] for row in map(_cells, table.rows)]
    head = [_markdown_cell(column) for column in table.columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _markdown_cell(cell: str) -> str:
    space, rest = _indent(cell, "&nbsp;")
    return space + MARKDOWN.sub(r"\\\g<0>", " ".join(rest.splitlines()))


def _html(table: Table) -> str:
    """A table without any style, its numbers to the right."""
    side = [' align="right"' if numeric else "" for numeric in _numeric(table)]
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = (
        "".join(
            f"<td{at}>{_html_cell(cell)}</td>" for at, cell in zip(side, _cells(row), strict=True)
        )
        for row in table.rows
    )
    lines = "\n".join(f"<tr>{row}</tr>" for row in (head, *rows))
    return f"<table>\n{lines}\n</table>"


def _html_cell(cell: str) -> str:
    space, rest = _indent(cell, "&nbsp;")
    return space + escape(rest)


def _latex(table: Table) -> str:
    """``tabular``, or ``longtable`` with its head on every page where one does not hold it."""
    columns = "".join("r" if numeric else "l" for numeric in _numeric(table))
    head, *rows = (
        " & ".join(map(_latex_cell, row)) + r" \\"
        for row in ([*table.columns], *map(_cells, table.rows))
    )
    body = "\n".join((head, r"\hline", *rows))
    if len(rows) <= PAGE:
        return f"\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}"
    body = "\n".join((head, r"\hline", r"\endhead", *rows))
    return (
        "% needs \\usepackage{longtable}\n"
        f"\\begin{{longtable}}{{{columns}}}\n{body}\n\\end{{longtable}}"
    )


def _latex_cell(cell: str) -> str:
    space, rest = _indent(cell, "~")
    return space + rest.translate(LATEX_SPECIAL)


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
