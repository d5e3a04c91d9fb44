"""Cutting the validation part from the training set, for every choice that training makes."""

import torch
from torch import Tensor

from convatlas.data.dataset import Pictures
from convatlas.errors import UserError

# One fixed seed for every run, so that runs with different seeds choose on the same pictures.
SPLIT_SEED = 1998


def split(pictures: Pictures, fraction: float, seed: int = SPLIT_SEED) -> tuple[Pictures, Pictures]:
    """(training part, validation part), each class divided in the same proportion.

    Of every class with two pictures or more, both parts get at least one. Raises `UserError` if
    the fraction is not in [0, 1), or if no class has two pictures to divide.
    """
    if not 0 <= fraction < 1:
        raise UserError(f"validation is a fraction of the training set in [0, 1), given {fraction}")
    held_out = _held_out(pictures.labels, fraction, seed)
    if fraction and not len(held_out):
        raise UserError(
            f"no class of the {len(pictures.labels)} pictures has two to divide into training and "
            "validation; add pictures, or give --validation 0"
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
        wanted = max(round(fraction * len(of_class)), 1) if fraction else 0
        picked.append(of_class[: max(min(wanted, len(of_class) - 1), 0)])
    return torch.cat(picked).sort().values


def _part(pictures: Pictures, index: Tensor) -> Pictures:
    return Pictures(
        images=pictures.images.index_select(0, index), labels=pictures.labels.index_select(0, index)
    )
