import math

import torch
import torch.nn.functional as F

from convatlas.training.losses import RUBBISH_PENALTY, loss_of, rbf_map
from convatlas.training.recipe import Recipe


def test_rbf_map_is_equation_9_by_hand() -> None:
    penalties = [[1.0, 2.0, 3.0], [0.5, 4.0, 0.2]]
    labels = [0, 1]
    expected = 0.0
    for row, label in zip(penalties, labels, strict=True):
        others = math.exp(-RUBBISH_PENALTY) + sum(math.exp(-y) for y in row)
        expected += row[label] + math.log(others)
    got = rbf_map(-torch.tensor(penalties), torch.tensor(labels))
    torch.testing.assert_close(got.item(), expected / 2, rtol=1e-6, atol=0)


def test_cross_entropy_takes_the_recipes_smoothing() -> None:
    torch.manual_seed(0)
    scores, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])
    smooth = loss_of(Recipe(label_smoothing=0.1))(scores, labels)
    spread = -F.log_softmax(scores, 1).mean(1)  # (1 - a) CE + a * mean over all classes
    expected = 0.9 * F.cross_entropy(scores, labels) + 0.1 * spread.mean()
    torch.testing.assert_close(smooth, expected)
