"""Weights carried from an independent implementation to ours, so that outputs can be compared."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def randomise(module: nn.Module, seed: int = 0) -> None:
    """Draw every weight, bias and running statistic anew, so that none is a neutral 0 or 1.

    Kernels and matrices after He et al. (2015), gains and variances from 0.5 to 1.5, biases and
    means about 0 with deviation 0.1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if not value.is_floating_point():
                continue
            if value.ndim >= 2:
                deviation = math.sqrt(2 / value[0].numel())
                value.normal_(0, deviation, generator=generator)
            elif key.endswith(("weight", "running_var")):
                value.uniform_(0.5, 1.5, generator=generator)
            else:
                value.normal_(0, 0.1, generator=generator)


def transplant(theirs: nn.Module, ours: nn.Module, skip: Sequence[str] = ()) -> None:
    """Copy all of their state into ours, in the order of both; shapes and lengths must agree.

    ``skip`` names endings of their keys that are constants and not state of ours.
    """
    given = [(k, v) for k, v in theirs.state_dict().items() if not k.endswith(tuple(skip))]
    wanted = ours.state_dict()
    for (their_key, value), (our_key, place) in zip(given, wanted.items(), strict=True):
        assert value.shape == place.shape, f"{their_key} {value.shape}, {our_key} {place.shape}"
    pairs = zip(wanted, given, strict=True)
    ours.load_state_dict({our_key: value for our_key, (_, value) in pairs})


def difference(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference, relative to the largest of their values."""
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()
