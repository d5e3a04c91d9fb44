"""The card of a trained network: what it is, what it was trained on, and what was looked at."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version

import msgspec
import torch

from convatlas.data.dataset import Dataset, Pictures
from convatlas.processor import processor
from convatlas.training.evaluate import Evaluation
from convatlas.training.recipe import Recipe

CARD_FORMAT = 1


class NetworkCard(msgspec.Struct, frozen=True, kw_only=True):
    """Which network, adapted how; enough to build it again."""

    name: str
    profile: str = "paper"
    paper: str
    departures: tuple[str, ...]
    num_classes: int
    in_channels: int
    image_size: int
    dropout: float | None


class DataCard(msgspec.Struct, frozen=True, kw_only=True):
    """Which pictures, by checksum, and how the training set was divided."""

    name: str
    size: int | None  # as asked for when loading; None keeps the set's own
    checksums: dict[str, str]
    split_seed: int
    side: int  # height and width of the pictures, before any crop or frame
    training: int  # pictures trained on
    validation: int  # pictures held out of the training set for choices
    rejected: tuple[str, ...]  # files of the training set that could not be used, and why
    rejected_test: tuple[str, ...] = ()  # likewise of the test set, known once it was opened


class OpeningCard(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the sealed test part."""

    when: str
    by: str


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Wrongly classified pictures of one part; top-5 means not among the five best scores."""

    count: int
    errors: int
    top5_errors: int

    @property
    def error(self) -> float:
        """Share classified wrongly."""
        return self.errors / self.count


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Stored in the header of ``model.safetensors``; ``format`` is raised when fields change.

    ``status`` is ``finished``, ``interrupted``, ``diverged`` (the weights are then those of the
    last checkpoint), ``untested`` (trained, the test part not read yet), or ``unfinished``;
    ``selected_on`` is the part that choices were made on: ``validation``, ``test``, ``nothing``.
    """

    format: int
    status: str
    network: NetworkCard
    classes: tuple[str, ...]
    data: DataCard
    recipe: Recipe
    seed: int
    selected_on: str
    device: str
    device_name: str
    threads: int
    versions: dict[str, str]
    step: int = 0
    steps: int = 0
    seconds: float = 0.0  # spent training
    validation: Score | None = None
    test: Score | None = None
    test_openings: tuple[OpeningCard, ...] = ()
    weights_sha256: str = ""


def score(evaluation: Evaluation) -> Score:
    """The counts of an evaluation that go on a card."""
    return Score(
        count=evaluation.count, errors=evaluation.errors, top5_errors=evaluation.top5_errors
    )


def openings(dataset: Dataset) -> tuple[OpeningCard, ...]:
    """The openings of a data set's test part in this process."""
    return tuple(OpeningCard(when=opened.when, by=opened.by) for opened in dataset.test.openings)


def opened(card: Card, by: str) -> Card:
    """The card with one more opening of the test part, now."""
    opening = OpeningCard(when=datetime.now(UTC).isoformat(timespec="seconds"), by=by)
    return msgspec.structs.replace(card, test_openings=(*card.test_openings, opening))


def rejected(pictures: Pictures) -> tuple[str, ...]:
    """The files of a part that could not be used, as a card lists them."""
    return tuple(f"{file.path}: {file.reason}" for file in pictures.rejected)


def to_json(card: Card) -> str:
    """The card as it stands in the header of a file."""
    return msgspec.json.encode(card).decode()


def versions() -> dict[str, str]:
    """What computed the result."""
    return {
        "convatlas": version("convatlas"),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def device_name(device: torch.device) -> str:
    """The device as its maker calls it, or the kind of machine where that is not known."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor().name
