"""Evaluating a finished run again, on a part of the data it was made from."""

from dataclasses import dataclass

import msgspec

from convatlas.data.augment import Augment
from convatlas.data.dataset import Dataset, Pictures
from convatlas.data.split import split
from convatlas.errors import UserError
from convatlas.training.archive import archive, save_archive
from convatlas.training.card import Card, opened, rejected, score
from convatlas.training.close import check_test
from convatlas.training.evaluate import Evaluation, evaluate
from convatlas.training.machine import find_device, machine_for
from convatlas.training.prepare import in_hand
from convatlas.training.run import Trained, rewrite_card

PARTS = ("test", "validation", "training")


@dataclass(frozen=True, slots=True)
class Checked:
    """An evaluation of one part, and the card as it now stands."""

    part: str
    evaluation: Evaluation
    card: Card


def check(
    run: Trained, part: str = "test", *, device: str = "auto", data: Dataset | None = None
) -> Checked:
    """Score a part; opening the test part is added to the card.

    Raises `UserError` for an unknown part, or data that is no longer what the run was made from.
    """
    if part not in PARTS:
        raise UserError(f"unknown part {part!r}; give one of {', '.join(PARTS)}")
    dataset = in_hand(data or run.card.data.name, run.card.data.size)
    if dict(dataset.checksums) != run.card.data.checksums:
        raise UserError(
            f"{run.card.data.name} is not what {run.folder.path} was trained on: "
            "its checksums differ from the card's"
        )
    machine = machine_for(run.card.recipe, find_device(device))
    card = run.card
    if part == "test":
        card = opened(card, "eval")
        rewrite_card(run.folder, card)  # before a byte is read
    pictures = _pictures(card, dataset, part)
    evaluation = evaluate(
        machine.place(run.model),
        pictures,
        preprocess=run.preprocess,
        augment=Augment(crop=card.recipe.crop),
        machine=machine,
    )
    if part == "test":
        left_out = msgspec.structs.replace(card.data, rejected_test=rejected(pictures))
        card = msgspec.structs.replace(card, test=card.test or score(evaluation), data=left_out)
        rewrite_card(run.folder, card)
        kept = archive(part, evaluation, pictures)
        save_archive(kept, run.folder.evaluation, card.weights_sha256)
    return Checked(part, evaluation, card)


def _pictures(card: Card, dataset: Dataset, part: str) -> Pictures:
    """The pictures of one part, divided as they were for the training."""
    if part == "test":
        pictures = dataset.test.open("eval")
        check_test(pictures, card)
        return pictures
    if card.selected_on != "validation":
        if part == "validation":
            raise UserError("this run has no validation part of its own; evaluate test or training")
        return dataset.train
    training, validation = split(dataset.train, card.recipe.validation, card.data.split_seed)
    return training if part == "training" else validation
