"""Predictions as text, JSON or CSV, each written as soon as it is there."""

import csv
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Protocol
from unicodedata import category

from convatlas.errors import UserError

if TYPE_CHECKING:
    from convatlas.runtime.predictions import Prediction


class Writer(Protocol):
    """Takes predictions one by one; as a context it ends what it began, also when interrupted."""

    def write(self, prediction: "Prediction") -> None:
        """Put one out."""

    def end(self) -> None:
        """What is to stand after the last."""


class Text:
    """One line a picture; those that could not be read are left to standard error."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out

    def write(self, prediction: "Prediction") -> None:
        """Path and guesses."""
        if not prediction.error:
            guesses = ", ".join(
                f"{escaped(g.label)} {g.probability:.1%}" for g in prediction.guesses
            )
            _put(self.out, f"{escaped(prediction.path)}  {guesses}\n")

    def end(self) -> None:
        """Nothing."""


class Json:
    """An array with an object a line, so that memory does not grow and a cut is easily mended."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.before = out, "[\n"

    def write(self, prediction: "Prediction") -> None:
        """Path, guesses, error."""
        record = {
            "path": prediction.path,
            "guesses": [
                {"class": g.label, "index": g.index, "probability": g.probability}
                for g in prediction.guesses
            ],
            "error": prediction.error,
        }
        line = json.dumps(record, ensure_ascii=False)
        if not line.isprintable():  # a name that is no Unicode must be escaped
            line = json.dumps(record)
        _put(self.out, self.before + line)
        self.before = ",\n"

    def end(self) -> None:
        """Close the array."""
        _put(self.out, "[]\n" if self.before == "[\n" else "\n]\n")


class Csv:
    """A row a picture: path, class1, probability1, and so on, error."""

    def __init__(self, out: BinaryIO, top: int) -> None:
        self.out, self.top, self.begun = out, top, False

    def write(self, prediction: "Prediction") -> None:
        """A row, and the names of the columns before the first."""
        self._begin()
        guesses = [cell for g in prediction.guesses for cell in (g.label, g.probability)]
        empty = [""] * (2 * self.top - len(guesses))
        self._row([prediction.path, *guesses, *empty, prediction.error or ""])

    def end(self) -> None:
        """The names of the columns, if there was no row."""
        self._begin()

    def _begin(self) -> None:
        if not self.begun:
            ranks = range(1, self.top + 1)
            pairs = [name for n in ranks for name in (f"class{n}", f"probability{n}")]
            self._row(["path", *pairs, "error"])
        self.begun = True

    def _row(self, cells: list[str | float]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        _put(self.out, text.getvalue())


def writer(form: str | None, out: BinaryIO, top: int) -> Writer:
    """The one for ``json``, ``csv`` or, by default, text; ``top``: the most guesses there are."""
    makers: dict[str | None, Callable[[], Writer]] = {
        "json": lambda: Json(out),
        "csv": lambda: Csv(out, top),
    }
    return makers.get(form, lambda: Text(out))()


def escaped(text: str) -> str:
    r"""A name on one line that tells a terminal nothing: ``\x1b``, ``\n`` for such characters.

    Bytes that are no Unicode stay as they are, and so do spaces of all kinds.
    """
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or "\udc80" <= each <= "\udcff" or category(each) == "Zs"
        else each.encode("unicode_escape").decode()
        for each in text
    )


def _put(out: BinaryIO, text: str) -> None:
    """Out at once, as the next picture may be long in coming; names as the system has them."""
    try:
        out.write(text.encode("utf-8", "surrogateescape"))
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"cannot write the results: {error.strerror}; make room") from None
