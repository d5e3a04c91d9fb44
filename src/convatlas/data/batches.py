"""Batches of an in-memory set by index: no worker processes, no per-picture Python.

The order of epoch e and the random changes of step s follow from (seed, e) and (seed, e, s)
alone, so a run stopped at any step goes on with exactly the batches it would have seen.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from convatlas.data.augment import Augment
from convatlas.data.dataset import Pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """One training set cut into batches, the same number in every epoch.

    The pictures are dealt into ``ceil(N / size)`` batches of nearly equal size: every picture is
    seen once an epoch and no batch is a small rest.
    """

    pictures: Pictures
    size: int
    seed: int
    augment: Augment

    @property
    def per_epoch(self) -> int:
        """Steps in one epoch."""
        return math.ceil(len(self.pictures.labels) / self.size)

    def epoch(self, number: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches ``first``, ``first + 1``, … of an epoch: uint8 pictures and labels."""
        order = torch.randperm(
            len(self.pictures.labels), generator=_generator(self.seed, number)
        ).to(self.pictures.labels.device)
        for step, index in enumerate(order.tensor_split(self.per_epoch)[first:], start=first):
            images = self.augment(
                self.pictures.images[index], _generator(self.seed, number, step + 1)
            )
            yield images, self.pictures.labels[index]


def _generator(*place: int) -> torch.Generator:
    """A generator for one place of the run; neighbouring places give unrelated numbers."""
    digest = hashlib.blake2b(repr(place).encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest))
