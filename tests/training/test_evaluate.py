import torch

from convatlas.training.evaluate import Evaluation, confusions


def example() -> Evaluation:
    scores = torch.tensor([[3.0, 1, 0], [0, 2, 1], [5, 0, 0], [0, 1, 2], [0, 1, 1.5]])
    return Evaluation(scores, torch.tensor([0, 1, 1, 2, 0]))


def test_counts_by_hand() -> None:
    evaluation = example()
    assert evaluation.count == 5
    assert evaluation.errors == 2  # the third (1 as 0) and the last (0 as 2)
    assert evaluation.error == 0.4
    assert evaluation.top5_errors == 0  # with three classes every class is among the best five
    assert evaluation.confusion.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]


def test_worst_are_the_most_confidently_wrong_first() -> None:
    assert example().worst(5).tolist() == [2, 4]
    assert example().worst(1).tolist() == [2]


def test_confusions_leave_out_what_is_right() -> None:
    assert confusions(example(), 9) == [(0, 2, 1), (1, 0, 1)]


def test_top5_errors_against_sorting() -> None:
    torch.manual_seed(0)
    scores, labels = torch.randn(200, 12), torch.randint(0, 12, (200,))
    order = scores.argsort(1, descending=True)[:, :5].tolist()
    expected = sum(label not in best for label, best in zip(labels.tolist(), order, strict=True))
    assert Evaluation(scores, labels).top5_errors == expected
