import torch

from convatlas.reports.classes import class_rows
from convatlas.training.evaluate import Evaluation


def test_rows():
    true, predicted = torch.tensor([(0, 0), (0, 1), (0, 2), (0, 2), (1, 1)]).T
    rows = class_rows(Evaluation(torch.eye(4)[predicted], true), ("a", "b", "c", "d"))
    first = rows[0]
    assert (first.count, first.wrong, first.taken_for, first.times) == (4, 3, "c", 2)
    assert first.error.startswith("75.0")
    assert (rows[1].wrong, rows[1].taken_for) == (0, "")
    assert (rows[3].count, rows[3].error) == (0, "–")


def test_sums(draw_evaluation):
    drawn = draw_evaluation(500, 10)
    rows = class_rows(drawn, tuple("abcdefghij"))
    assert sum(row.count for row in rows) == 500
    assert sum(row.wrong for row in rows) == drawn.errors


def test_many_classes_are_sorted_by_error(draw_evaluation):
    rows = class_rows(draw_evaluation(2000, 40), tuple(map(str, range(40))))
    errors = [row.wrong / row.count for row in rows]
    assert errors == sorted(errors, reverse=True)
