"""Runs made in a moment: an untrained network, and scores drawn instead of computed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
import torch

from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.training.archive import archive, save_archive
from convatlas.training.card import OpeningCard, score
from convatlas.training.evaluate import Evaluation
from convatlas.training.prepare import Request, Setting, prepare
from convatlas.training.recipe import Recipe
from convatlas.training.run import RunFolder, save_model, write_metrics
from convatlas.training.state import EpochRecord

TEN = tuple("0123456789")
OPENING = OpeningCard(when="2026-01-02T03:04:05+00:00", by="train, after the last step")
MakeRun = Callable[..., RunFolder]


def drawn_evaluation(count: int, classes: int, *, lead: float = 2.5) -> Evaluation:
    """Random scores with a lead for the true class; the usual one leaves about a fifth wrong."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (count,), generator=generator)
    scores = torch.randn(count, classes, generator=generator)
    scores[torch.arange(count), labels] += lead
    return Evaluation(scores, labels)


def drawn_pictures(labels: torch.Tensor, channels: int, side: int) -> Pictures:
    """Noise."""
    generator = torch.Generator().manual_seed(1)
    shape = (len(labels), channels, side, side)
    return Pictures(torch.randint(256, shape, generator=generator, dtype=torch.uint8), labels)


def drawn_history(epochs: int, *, validation: bool = True) -> list[EpochRecord]:
    """Everything falls as one over the epoch."""
    return [
        EpochRecord(
            epoch=epoch,
            step=7 * epoch,
            lr=0.1 / epoch,
            train_loss=2.0 / epoch,
            validation_error=0.3 / epoch if validation else None,
            seconds=0.5,
            images_per_second=1800.0,
            losses=(2.5 / epoch, 1.5 / epoch),
            rates=(0.2 / epoch, 0.1 / epoch),
        )
        for epoch in range(1, epochs + 1)
    ]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A function that writes a run; ``changes`` are fields of its card."""
    return lambda *args, **options: written_run(tmp_path / "run", *args, **options)


def written_run(
    path: Path,
    network: str = "lenet-bn",
    classes: tuple[str, ...] = TEN,
    *,
    shape: tuple[int, int] = (1, 28),  # channels, side
    epochs: int = 2,
    count: int = 300,
    lead: float = 2.5,
    **changes: Any,
) -> RunFolder:
    path.mkdir()
    folder = RunFolder(path)
    evaluation = drawn_evaluation(count, len(classes), lead=lead)
    setting = drawn_setting(network, classes, drawn_pictures(evaluation.labels, *shape))
    results = {
        "status": "finished",
        "validation": score(evaluation),
        "test": score(evaluation),
        "test_openings": (OPENING,),
        "versions": {"convatlas": "0.1.0", "torch": "2.13.0"},
        "step": 14,
        "steps": 14,
        "seconds": 1.0,
    }
    card = msgspec.structs.replace(setting.card, **{**results, **changes})
    torch.manual_seed(0)
    card = save_model(folder, card, setting.blueprint.build(), setting.preprocess)
    write_metrics(folder, drawn_history(epochs, validation=card.selected_on != "nothing"))
    if card.test or card.validation:
        part = "test" if card.test else "validation"
        kept = archive(part, evaluation, drawn_pictures(evaluation.labels, *shape))
        save_archive(kept, folder.evaluation, card.weights_sha256)
    return folder


def drawn_setting(network: str, classes: tuple[str, ...], pictures: Pictures) -> Setting:
    """What training would start from, on a set that is on no disk."""
    dataset = Dataset(
        name="mnist",
        classes=classes,
        train=pictures,
        test=SealedTest(lambda: pictures),
        checksums={"pictures.gz": "0" * 64},
    )
    recipe = Recipe(name="brief", epochs=2, lr=0.05)
    with patch("convatlas.training.prepare.load", return_value=dataset):
        return prepare(Request(network=network, data="mnist", recipe=recipe, device="cpu"))


@pytest.fixture
def draw_evaluation() -> Callable[..., Evaluation]:
    return drawn_evaluation


@pytest.fixture
def draw_history() -> Callable[..., list[EpochRecord]]:
    return drawn_history
