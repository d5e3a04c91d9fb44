"""Batch norm statistics for a network that was never trained.

With means of 0 and variances of 1 a deep network's signal fades until its scores no longer depend
on the picture (Inception-v3: by 2e-9), and any engine would look equal.
"""

import torch
from torch import nn

PICTURES = 4


def settle(module: nn.Module, shape: tuple[int, int, int]) -> None:
    """Set the running statistics of every batch norm to those of a few random pictures.

    Everything else stays in evaluation mode: no dropout, no auxiliary heads.
    """
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [part.momentum for part in norms]
    for part in norms:
        part.momentum = 1.0  # this batch's statistics alone
        part.train()
    with torch.no_grad():
        module(torch.randn(PICTURES, *shape, generator=torch.Generator().manual_seed(0)))
    for part, momentum in zip(norms, momenta, strict=True):
        part.momentum = momentum
        part.eval()
