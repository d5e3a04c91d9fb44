"""What training lowers."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.training.recipe import Recipe

Loss = Callable[[Tensor, Tensor], Tensor]

# The constant j of equation 9; the paper says only that it is positive.
RUBBISH_PENALTY = 0.1


def rbf_map(scores: Tensor, labels: Tensor) -> Tensor:
    """Equation 9 of LeCun et al. 1998: y_D + log(exp(-j) + sum_i exp(-y_i)), batch mean.

    ``scores`` are minus the penalties y, (N, classes). The term exp(-j) is a class for rubbish:
    this is cross entropy with one more class whose score is always -j.
    """
    rubbish = scores.new_full((len(scores), 1), -RUBBISH_PENALTY)
    return F.cross_entropy(torch.cat((scores, rubbish), 1), labels)


def loss_of(recipe: Recipe) -> Loss:
    """The recipe's loss as a function of scores (N, classes) and labels (N)."""
    if recipe.loss == "rbf-map":
        return rbf_map
    return lambda scores, labels: F.cross_entropy(
        scores, labels, label_smoothing=recipe.label_smoothing
    )
