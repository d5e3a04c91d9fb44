import torch

from convatlas.reports.confusion import DEEPEST, commonest, confusion, shades
from convatlas.training.evaluate import Evaluation

NAMES = ("ant", "bee", "cat")


def evaluation(pairs):
    """Scores that make each (true, predicted) pair."""
    true, predicted = torch.tensor(pairs).T
    return Evaluation(torch.eye(3)[predicted], true)


PAIRS = [(0, 0), (0, 0), (0, 1), (1, 1), (2, 0), (2, 0), (2, 0), (2, 0)]


def test_cells():
    table = confusion(evaluation(PAIRS), NAMES)
    assert [[cell.count for cell in row.cells] for row in table.rows] == [
        [2, 1, 0],
        [0, 1, 0],
        [4, 0, 0],
    ]
    assert [row.name for row in table.rows] == list(NAMES)
    assert [cell.kind for cell in table.rows[0].cells] == ["right", "wrong", "none"]
    assert table.rows[2].cells[0].shade == DEEPEST
    assert table.picture is None


def test_shades_stay_in_the_scale():
    found = shades(evaluation(PAIRS).confusion)
    torch.testing.assert_close(found, torch.tensor([[2 / 3, 0.5, 0], [0, 1, 0], [1, 0, 0]]))


def test_without_mistakes_and_with_an_empty_class():
    table = confusion(evaluation([(0, 0), (1, 1)]), NAMES)
    assert [cell.kind for cell in table.rows[2].cells] == ["none"] * 3


def test_many_classes_make_a_picture(draw_evaluation):
    names = tuple(str(index) for index in range(40))
    table = confusion(draw_evaluation(400, 40), names)
    assert table.rows == ()
    assert table.picture.width == 40 * 12
    assert "40 classes" in table.picture.alt


def test_commonest_first():
    found = [(m.true, m.predicted, m.count) for m in commonest(evaluation(PAIRS), NAMES)]
    assert found == [("cat", "ant", 4), ("ant", "bee", 1)]
