"""Networks read back from runs, and what else a run's folder holds."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from torch import Tensor, nn

from convatlas import models
from convatlas.data.preprocess import Preprocess
from convatlas.errors import UserError
from convatlas.files import write_atomically
from convatlas.models.family import Task
from convatlas.training.card import CARD_FORMAT, Card, OpeningCard, to_json
from convatlas.training.folder import RunFolder as RunFolder
from convatlas.training.folder import check_run
from convatlas.training.state import EpochRecord
from convatlas.training.tensorfile import damaged, digest, read_tensors, write_tensors

PREPROCESS = "preprocess."


@dataclass(frozen=True, slots=True)
class Trained:
    """A network read back from a run, on the CPU in evaluation mode, with what it needs."""

    folder: RunFolder
    card: Card
    model: nn.Module
    preprocess: Preprocess


def save_model(folder: RunFolder, card: Card, model: nn.Module, preprocess: Preprocess) -> Card:
    """Write weights, pre-processing and card; returns the card with the weights' checksum."""
    tensors = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    tensors[f"{PREPROCESS}mean"] = preprocess.mean.cpu()
    tensors[f"{PREPROCESS}deviation"] = preprocess.deviation.cpu()
    card = msgspec.structs.replace(card, weights_sha256=digest(tensors))
    _write(folder.model, tensors, card)
    return card


def openings_so_far(folder: RunFolder) -> tuple[OpeningCard, ...]:
    """What a run's model file says of readings of the test part; none if there is no file yet."""
    return _read(folder.model)[0].test_openings if folder.model.exists() else ()


def rewrite_card(folder: RunFolder, card: Card) -> None:
    """Put another card on the same weights."""
    _write(folder.model, _read(folder.model)[1], card)


def load_run(path: Path | str) -> Trained:
    """Read a run back; `UserError` for a folder that is none, another version, a damaged file."""
    folder = RunFolder(Path(path))
    check_run(folder.path)
    card, tensors = _read(folder.model)
    figures = {k: tensors.pop(k) for k in list(tensors) if k.startswith(PREPROCESS)}
    model = build_network(card)
    try:
        model.load_state_dict(tensors)
        preprocess = Preprocess(
            kind=card.recipe.preprocess,
            pad=card.recipe.pad,
            mean=figures[f"{PREPROCESS}mean"],
            deviation=figures[f"{PREPROCESS}deviation"],
        )
    except (RuntimeError, KeyError) as error:
        raise damaged(folder.model, f"it does not fit {card.network.name}: {error}") from None
    return Trained(folder, card, model.eval(), preprocess)


def build_network(card: Card) -> nn.Module:
    """The network of a card with fresh weights."""
    task = Task(
        num_classes=card.network.num_classes,
        in_channels=card.network.in_channels,
        image_size=card.network.image_size,
        dropout=card.network.dropout,
    )
    return models.create(card.network.name, task)


def read_metrics(folder: RunFolder) -> list[EpochRecord]:
    """The epochs of a run; `UserError` if the file is damaged."""
    try:
        lines = folder.metrics.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=EpochRecord) for line in lines]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"cannot read {folder.metrics}: {error.strerror}") from None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise damaged(folder.metrics, error) from None


def write_metrics(folder: RunFolder, history: list[EpochRecord]) -> None:
    """Write all epochs so far."""
    lines = [msgspec.json.encode(record).decode() + "\n" for record in history]
    write_atomically(folder.metrics, "".join(lines))


def read_card(path: Path, strings: dict[str, str]) -> Card:
    """The card in a file's header; `UserError` if damaged or of another format."""
    try:
        found = msgspec.json.decode(strings["card"])["format"]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise damaged(path, error) from None
    if found != CARD_FORMAT:
        raise UserError(
            f"{path} has card format {found}, this ConvAtlas reads {CARD_FORMAT}; "
            "use the ConvAtlas that wrote it, or train again"
        )
    try:
        return msgspec.json.decode(strings["card"], type=Card)
    except msgspec.ValidationError as error:
        raise damaged(path, error) from None


def _write(path: Path, tensors: dict[str, Tensor], card: Card) -> None:
    write_tensors(path, tensors, {"card": to_json(card)})


def _read(path: Path) -> tuple[Card, dict[str, Tensor]]:
    """Card and tensors of a model file."""
    tensors, strings = read_tensors(path)
    return read_card(path, strings), tensors
