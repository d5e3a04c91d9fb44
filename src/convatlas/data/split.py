"""Cutting the validation part from the training set, for every choice that training makes."""

import torch
from torch import Tensor

from convatlas.data.dataset import Pictures
from convatlas.errors import UserError

# One fixed seed for every run, so that runs with different seeds choose on the same pictures.
SPLIT_SEED = 1998


def split(pictures: Pictures, fraction: float, seed: int = SPLIT_SEED) -> tuple[Pictures, Pictures]:
    """(training part, validation part), each class divided in the same proportion.

    Every class keeps at least one training picture. Raises `UserError` if the fraction is not
    in [0, 1) or leaves the validation part empty although one was asked for.
    """
    if not 0 <= fraction < 1:
        raise UserError(f"validation is a fraction of the training set in [0, 1), given {fraction}")
    held_out = _held_out(pictures.labels, fraction, seed)
    if fraction and not len(held_out):
        raise UserError(
            f"a validation part of {fraction} of {len(pictures.labels)} pictures holds none; "
            "raise --validation or add pictures"
        )
    kept = torch.ones(len(pictures.labels), dtype=torch.bool)
    kept[held_out] = False
    return _part(pictures, kept.nonzero()[:, 0]), _part(pictures, held_out)


def _held_out(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Sorted indices of the validation pictures."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    picked = []
    for label in range(int(labels.max()) + 1):
        of_class = shuffled[labels[shuffled] == label]
        picked.append(of_class[: min(round(fraction * len(of_class)), len(of_class) - 1)])
    return torch.cat(picked).sort().values


def _part(pictures: Pictures, index: Tensor) -> Pictures:
    return Pictures(
        images=pictures.images.index_select(0, index), labels=pictures.labels.index_select(0, index)
    )
