"""Stochastic gradient descent, torch's own, without what its class brings along.

`torch.optim.SGD` imports torch's compiler when it is made, which takes longer than training a
LeNet for a quarter of an epoch. Its functional form does the same arithmetic without it.
"""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.sgd import sgd

from convatlas.training.recipe import Recipe


class Sgd:
    """Fused SGD over fixed weights; ``momentum`` holds one buffer for each of them.

    Has of `torch.optim.Optimizer` what `torch.amp.GradScaler` asks for.
    """

    def __init__(self, weights: Iterable[nn.Parameter], recipe: Recipe) -> None:
        self.weights, self.recipe = list(weights), recipe
        self.param_groups = [{"params": self.weights}]
        # A buffer lies in memory as its weight does: the fused step walks memory.
        self.momentum = [torch.zeros_like(weight) for weight in self.weights]
        self.lr = recipe.lr

    def clear(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient, at the rate ``lr``."""
        moving = [i for i, weight in enumerate(self.weights) if weight.grad is not None]
        sgd(
            [self.weights[i] for i in moving],
            [grad for i in moving if (grad := self.weights[i].grad) is not None],
            [self.momentum[i] for i in moving],
            fused=True,
            lr=self.lr,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.nesterov,
            weight_decay=self.recipe.weight_decay,
            dampening=0.0,
            maximize=False,
        )
