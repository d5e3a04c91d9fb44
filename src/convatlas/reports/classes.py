"""How each class fared."""

from dataclasses import dataclass

from torch import Tensor

from convatlas.reports.numbers import percent
from convatlas.training.evaluate import Evaluation

SHOWN = 30  # classes; the rest is folded away


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: its pictures, the wrong ones, and what those were most often taken for."""

    name: str
    count: int
    wrong: int
    error: str
    taken_for: str  # "" if nothing went wrong
    times: int


def class_rows(evaluation: Evaluation, classes: tuple[str, ...]) -> tuple[ClassRow, ...]:
    """In the order of the classes; many classes are sorted by error, the worst first."""
    counts = evaluation.confusion
    most = int(counts.sum(1).max())  # one number of decimals for the whole column
    rows = [_row(index, counts, classes, most) for index in range(len(classes))]
    if len(rows) > SHOWN:
        rows.sort(key=lambda row: row.wrong / max(row.count, 1), reverse=True)
    return tuple(rows)


def _row(index: int, counts: Tensor, classes: tuple[str, ...], most: int) -> ClassRow:
    of_class = counts[index].clone()
    count, right = int(of_class.sum()), int(of_class[index])
    of_class[index] = 0
    other = int(of_class.argmax())
    wrong = count - right
    return ClassRow(
        name=classes[index],
        count=count,
        wrong=wrong,
        error=percent(wrong / count, most) if count else "–",
        taken_for=classes[other] if wrong else "",
        times=int(of_class[other]),
    )
