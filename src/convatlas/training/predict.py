"""A trained network applied to picture files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from convatlas.data.augment import Augment
from convatlas.data.decode import DecodeError, decode
from convatlas.errors import UserError
from convatlas.training.run import Trained


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and the probability the network gives it."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network makes of one file: its best guesses, or why the file could not be read."""

    path: str
    guesses: tuple[Guess, ...]
    error: str | None = None


def predict(
    run: Trained, paths: Sequence[Path], *, top: int = 3, invert: bool = False
) -> list[Prediction]:
    """The ``top`` most probable classes of each file, in the order given.

    A picture of any size and mode is brought to the network's channels; its shorter side is
    resized and the centre cut out. ``invert`` is for dark ink on light paper where the training
    pictures have light ink on dark paper, as MNIST's have.
    """
    return [_predict(run, path, top, invert) for path in paths]


def _predict(run: Trained, path: Path, top: int, invert: bool) -> Prediction:
    card = run.card
    if card.network.in_channels not in (1, 3):
        raise UserError(
            f"files are grey or RGB, {card.network.name} reads another number of channels"
        )
    try:
        picture = decode(path, channels=card.network.in_channels, size=card.data.side)
    except DecodeError as error:
        return Prediction(str(path), (), error.reason)
    image = Augment(crop=card.recipe.crop).centre(torch.from_numpy(picture.copy())[None])
    probability = probabilities(run, ~image if invert else image)[0]
    best = probability.topk(min(top, len(probability)))
    return Prediction(
        str(path),
        tuple(
            Guess(run.card.classes[index], float(value))
            for value, index in zip(best.values, best.indices.tolist(), strict=True)
        ),
    )


def probabilities(run: Trained, images: Tensor) -> Tensor:
    """Softmax of the scores of uint8 pictures (N, C, H, W), shape (N, classes)."""
    with torch.inference_mode():
        return torch.softmax(run.model(run.preprocess(images)).float(), 1)
