"""One table in six forms: they say the same, and nothing in a cell is taken for markup."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from convatlas.tables import PAGE, Table, render

NASTY = (
    *("a|b", "<b>bold</b> & co", "*stars* and __name__", "`code`", "[link](x)", "~~gone~~"),
    *("back\\slash", 'quo"te, comma', "50% of $3 #4 {x_y} ~^", "  indented", "64 → 128, 3×3"),
    *("⌊(5 − 3)/2⌋ + 1 ≤ 2 · 3 …", "two\nlines", "c1_squash", ""),
)
TABLE = Table(
    ("layer", "count", "share", "may fail"),
    tuple((text, 1000 * n, n / 4, n if n % 2 else "unknown") for n, text in enumerate(NASTY)),
)


class Cells(HTMLParser):
    """The text of each cell, by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data != "\n":
            self.rows[-1][-1] += data


def test_json_and_csv_say_the_same() -> None:
    records = json.loads(render(TABLE, "json"))
    assert [tuple(record.values()) for record in records] == list(TABLE.rows)
    assert all(tuple(record) == TABLE.columns for record in records)
    head, *rows = csv.reader(io.StringIO(render(TABLE, "csv")))
    assert tuple(head) == TABLE.columns
    assert rows == [[str(cell) for cell in row] for row in TABLE.rows]


def test_html_says_the_same_and_holds_no_markup_of_the_cells() -> None:
    reader = Cells()
    reader.feed(render(TABLE, "html"))
    assert reader.tags == {"table", "tr", "th", "td"}
    head, *rows = reader.rows
    assert tuple(head) == TABLE.columns
    for told, row in zip(rows, TABLE.rows, strict=True):
        assert told[0].replace("\xa0", " ") == row[0]
        assert told[1:3] == [f"{row[1]:,}", str(row[2])]


def test_markdown_says_the_same_and_holds_no_markup_of_the_cells() -> None:
    head, rule, *rows = render(TABLE, "md").splitlines()
    assert head == "| layer | count | share | may fail |"
    assert rule == "| --- | ---: | ---: | ---: |"
    assert len(rows) == len(TABLE.rows)
    for told, row in zip(rows, TABLE.rows, strict=True):
        cells = re.split(r"(?<!\\) ?\| ?", told.replace("\\\\", "\0"))[1:-1]
        assert len(cells) == 4, told
        text = cells[0].replace("&nbsp;", " ")
        bare = re.sub(r"\\.", "", text.replace("\0", ""))
        assert not re.search(r"[`*<>\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", bare), told
        unescaped = re.sub(r"\\(.)", r"\1", text).replace("\0", "\\")
        assert unescaped == str(row[0]).replace("\n", " ")
    assert "| c1_squash | 13,000 |" in render(TABLE, "md"), "a name within a word needs no escape"


def latex_cells(line: str) -> list[str]:
    assert line.endswith(r" \\")
    return re.split(r"(?<!\\) ?& ?", line.removesuffix(r" \\"))


def test_latex_compiles_in_any_engine() -> None:
    """Nothing but ASCII, specials escaped, braces and dollars in pairs, four cells a row."""
    begin, *lines, end = render(TABLE, "latex").splitlines()
    assert (begin, end) == (r"\begin{tabular}{lrrr}", r"\end{tabular}")
    assert lines.pop(1) == r"\hline"
    assert len(lines) == len(TABLE.rows) + 1
    for line in lines:
        assert line.isascii()
        assert len(latex_cells(line)) == 4
        bare = re.sub(r"\\[&%$#_{}]|\\[a-z]+", "", line.removesuffix(r" \\"))
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        assert not re.search(r"[#%\\]|_(?!\w*\$)", bare), line
    assert r"64 $\to$ 128, 3$\times$3 " in lines[11]
    assert r"$\lfloor$(5 $-$ 3)/2$\rfloor$ + 1 $\le$ 2 $\cdot$ 3 \ldots{}" in lines[12]
    assert lines[10].startswith("~~indented")


def test_a_long_latex_table_goes_over_pages() -> None:
    short = Table(("a",), tuple((n,) for n in range(PAGE)))
    assert "longtable" not in render(short, "latex")
    lines = render(Table(("a",), (*short.rows, (1,))), "latex").splitlines()
    assert lines[:5] == [
        *(r"% needs \usepackage{longtable}", r"\begin{longtable}{r}"),
        *(r"a \\", r"\hline", r"\endhead"),
    ]
    assert lines[-1] == r"\end{longtable}"


def test_text_is_aligned() -> None:
    table = Table(("name", "n"), (("a", 5), ("  long name", 12345), ("b", "unknown")))
    assert render(table, None).splitlines() == [
        "name               n",
        "a                  5",
        "  long name   12,345",
        "b            unknown",
    ]


@pytest.mark.parametrize("form", [None, "json", "csv", "md", "html", "latex"])
def test_no_rows(form: str | None) -> None:
    assert isinstance(render(Table(("a", "b"), ()), form), str)
