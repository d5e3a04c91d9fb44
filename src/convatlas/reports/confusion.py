"""Which class was taken for which, as a table or, for many classes, as a picture."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from convatlas.reports.pictures import NEGATIVE, POSITIVE, Picture, picture
from convatlas.training.evaluate import Evaluation, confusions

MOST_IN_A_TABLE = 30  # classes; a wider table cannot be read
COMMONEST = 10
DEEPEST = 0.5  # opacity of the fullest cell; more would hide its number


@dataclass(frozen=True, slots=True)
class Cell:
    """A count with its place in the scale: ``right`` (the diagonal), ``wrong`` or ``none``."""

    count: int
    kind: str
    shade: float


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One true class."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """``rows`` or, for more classes than a table can show, ``picture``."""

    classes: tuple[str, ...]
    count: int
    rows: tuple[ConfusionRow, ...]
    picture: Picture | None
    long_names: bool  # the columns' headings are turned


@dataclass(frozen=True, slots=True)
class Mistake:
    """A pair of classes and how often the first was taken for the second."""

    true: str
    predicted: str
    count: int


def confusion(evaluation: Evaluation, classes: tuple[str, ...]) -> Confusion:
    """Cells are shaded by their share of the row (right) or of the commonest mistake (wrong)."""
    counts = evaluation.confusion
    fits = len(classes) <= MOST_IN_A_TABLE
    return Confusion(
        classes=classes,
        count=evaluation.count,
        rows=_rows(counts, classes) if fits else (),
        picture=None if fits else _picture(counts),
        long_names=max(map(len, classes)) > 3,
    )


def commonest(evaluation: Evaluation, classes: tuple[str, ...]) -> tuple[Mistake, ...]:
    """The pairs most often mixed up, in this direction."""
    return tuple(
        Mistake(classes[true], classes[predicted], count)
        for true, predicted, count in confusions(evaluation, COMMONEST)
    )


def shades(counts: Tensor) -> Tensor:
    """0 to 1 for each cell; the root lets a single mistake be seen beside fifty."""
    wrong = counts.clone().fill_diagonal_(0)
    of_worst = (wrong / wrong.max().clamp(min=1)).sqrt()
    of_row = counts.diagonal() / counts.sum(1).clamp(min=1)
    return of_worst + torch.diag(of_row)


def _rows(counts: Tensor, classes: tuple[str, ...]) -> tuple[ConfusionRow, ...]:
    opacity = shades(counts) * DEEPEST
    return tuple(
        ConfusionRow(
            name,
            tuple(
                _cell(int(counts[true, column]), true == column, float(opacity[true, column]))
                for column in range(len(classes))
            ),
        )
        for true, name in enumerate(classes)
    )


def _cell(count: int, on_diagonal: bool, shade: float) -> Cell:
    kind = "none" if not count else "right" if on_diagonal else "wrong"
    return Cell(count, kind, round(shade, 3))


def _picture(counts: Tensor) -> Picture:
    """A pixel for each pair, the true class by row; what never happened is clear."""
    classes = len(counts)
    opacity = (255 * shades(counts)).round().byte()
    hues = torch.tensor(POSITIVE, dtype=torch.uint8)[:, None, None].repeat(1, classes, classes)
    hues[:, range(classes), range(classes)] = torch.tensor(NEGATIVE, dtype=torch.uint8)[:, None]
    alt = (
        f"Confusion matrix of {classes} classes: true class by row, predicted class by column, "
        "right answers on the diagonal in blue, mistakes in orange"
    )
    return picture(torch.cat((hues, opacity[None])), alt, zoom=math.ceil(480 / classes))
