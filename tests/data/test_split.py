import pytest
import torch

from convatlas.data.dataset import Pictures
from convatlas.data.split import split
from convatlas.errors import UserError


def numbered(labels: list[int]) -> Pictures:
    """Each picture's one pixel is its number."""
    number = torch.arange(len(labels), dtype=torch.uint8)
    return Pictures(number[:, None, None, None], torch.tensor(labels))


def test_parts_are_disjoint_complete_and_proportional() -> None:
    whole = numbered([0] * 100 + [1] * 50 + [2] * 10)
    training, validation = split(whole, 0.1)
    together = torch.cat((training.images, validation.images)).flatten().sort().values
    assert together.tolist() == list(range(160))
    assert torch.bincount(validation.labels).tolist() == [10, 5, 1]


def test_a_small_class_still_has_a_picture_in_each_part() -> None:
    training, validation = split(numbered([0] * 100 + [1] * 3), 0.05)
    assert torch.bincount(validation.labels).tolist() == [5, 1]
    assert torch.bincount(training.labels).tolist() == [95, 2]


def test_whole() -> None:
    whole = numbered([0] * 100 + [1] * 50 + [2] * 10)
    _, validation = split(whole, 0.1)
    assert (whole.labels[validation.images.flatten().long()] == validation.labels).all()


def test_the_same_seed_holds_out_the_same_pictures() -> None:
    whole = numbered([0, 1] * 60)
    same = [split(whole, 0.2)[1].images.flatten().tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert split(whole, 0.2, seed=1)[1].images.flatten().tolist() != same[0]


def test_a_class_keeps_a_training_picture() -> None:
    training, validation = split(numbered([0, 1, 1, 1, 1]), 0.9)
    assert set(training.labels.tolist()) == {0, 1}
    assert validation.labels.tolist() == [1, 1, 1]


def test_fractions_that_make_no_sense() -> None:
    with pytest.raises(UserError, match=r"fraction .* given 1.5"):
        split(numbered([0, 1]), 1.5)
    with pytest.raises(UserError, match="two to divide"):
        split(numbered([0, 1]), 0.1)
