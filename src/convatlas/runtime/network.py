"""What is to be run: a network with the pictures it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convatlas.errors import UserError
from convatlas.runtime.bundle import Preparation, crop, normalise

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A module on the CPU in evaluation mode, and its input without the batch.

    ``pictures``: decoded ones, uint8 (N, C, side, side), to compare on beside random input.
    ``source``: where weights, preparation and pictures come from, in words, for the card.
    """

    name: str
    module: "nn.Module"
    shape: tuple[int, int, int]
    preparation: Preparation | None = None
    labels: tuple[str, ...] = ()
    pictures: NDArray[np.uint8] | None = None
    source: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert not self.module.training
        assert self.pictures is None or self.preparation

    @property
    def real(self) -> Array | None:
        """The pictures as the network reads them, (N, C, H, W)."""
        if self.pictures is None:
            return None
        assert self.preparation
        return normalise(self.preparation, crop(self.preparation, self.pictures))

    def eager(self, pixels: Array) -> Array:
        """The scores as torch computes them, operation by operation: what all else must equal."""
        import torch

        with torch.inference_mode():
            scores: Array = self.module(torch.from_numpy(pixels)).numpy()
        return scores

    def expected(self, pixels: Array) -> Array:
        """The scores to compare with; `UserError` if one is no finite number: nothing equals it."""
        scores = self.eager(pixels)
        if not np.isfinite(scores).all():
            raise UserError(
                f"{self.name} gives scores that are no finite numbers, so nothing can be shown to "
                "equal it; look at its weights and its preparation"
            )
        return scores


def random_pixels(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Standard normal input of a shape, the same for the same seed."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)
