import torch

from convatlas.data.dataset import Pictures
from convatlas.reports.worst import SIDE, worst_pictures
from convatlas.training.archive import archive
from convatlas.training.evaluate import Evaluation


def test_names_probability_and_number():
    scores = torch.tensor([[5.0, 0.0], [0.0, 50.0], [0.0, 2.0]])
    pictures = Pictures(torch.zeros(3, 3, 200, 100, dtype=torch.uint8), torch.tensor([0, 0, 0]))
    kept = archive("test", Evaluation(scores, pictures.labels), pictures)
    first, second = worst_pictures(kept, ("cat", "dog"))
    assert (first.true, first.predicted, first.number) == ("cat", "dog", 1)
    assert first.probability.startswith("99.9")
    assert second.probability.startswith("88.1")
    assert (first.picture.width, first.picture.height) == (SIDE // 2, SIDE)
    assert first.picture.alt == "a picture of class cat, taken for dog"
