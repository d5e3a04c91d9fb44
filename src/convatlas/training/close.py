"""The end of a run: the sealed test part is opened, and what was found is written down.

The order matters. Weights and card are on disk before the test part is read, and so is the
opening itself: whatever happens then, the run can be used and the record is true.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec
from torch import nn

from convatlas.data.check import check_pictures
from convatlas.data.dataset import Pictures
from convatlas.errors import UserError
from convatlas.training.archive import archive, save_archive
from convatlas.training.card import Card, opened, rejected, score, to_json
from convatlas.training.evaluate import Evaluation, evaluate
from convatlas.training.prepare import Setting
from convatlas.training.run import RunFolder, rewrite_card, save_model, write_metrics
from convatlas.training.state import EpochRecord, State, save_checkpoint

REASON = "train, after the last step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has come to its end, or was stopped (then the test part is still sealed)."""

    folder: RunFolder
    card: Card
    validation: Evaluation | None
    test: Evaluation | None
    history: tuple[EpochRecord, ...]


def close(
    setting: Setting,
    state: State,
    folder: RunFolder,
    ending: Literal["finished", "interrupted", "diverged"],
) -> Finished:
    """Evaluate, open the test part if the run is finished, and write the files of the run."""
    write_metrics(folder, state.history)
    if ending == "finished":  # should the test part be unreadable, resuming only closes again
        save_checkpoint(state, folder.checkpoint, to_json(setting.card))
    if state.best:
        state.model.load_state_dict(state.best)
    shown = setting.validation
    validation = evaluate_part(setting, state.model, shown) if shown else None
    card = msgspec.structs.replace(
        setting.card,
        status="untested" if ending == "finished" else ending,
        step=state.step,
        seconds=sum(record.seconds for record in state.history) + state.seconds,
        validation=score(validation) if validation else None,
    )
    card = save_model(folder, card, state.model, setting.preprocess)
    if validation and shown:
        part = "test" if card.selected_on == "test" else "validation"
        save_archive(archive(part, validation, shown), folder.evaluation, card.weights_sha256)
    test = None
    if ending == "finished":
        card, test = _test(setting, state, folder, card)
        folder.checkpoint.unlink(missing_ok=True)
    return Finished(
        folder=folder, card=card, validation=validation, test=test, history=tuple(state.history)
    )


def _test(setting: Setting, state: State, folder: RunFolder, card: Card) -> tuple[Card, Evaluation]:
    """Score the test part, opened here for the first time unless choices were made on it."""
    if card.selected_on == "test" and setting.validation:
        pictures = setting.validation
    else:
        card = opened(card, REASON)
        rewrite_card(folder, card)
        pictures = setting.dataset.test.open(REASON)
    check_test(pictures, card)
    test = evaluate_part(setting, state.model, pictures)
    data = msgspec.structs.replace(card.data, rejected_test=rejected(pictures))
    card = msgspec.structs.replace(card, status="finished", test=score(test), data=data)
    card = save_model(folder, card, state.model, setting.preprocess)
    save_archive(archive("test", test, pictures), folder.evaluation, card.weights_sha256)
    return card, test


def check_test(pictures: Pictures, card: Card) -> None:
    """Raise `UserError` for test pictures that are not as the training pictures were."""
    check_pictures(pictures, f"the test part of {card.data.name}", len(card.classes))
    shape = (card.network.in_channels, card.data.side, card.data.side)
    if tuple(pictures.images.shape[1:]) != shape:
        raise UserError(
            f"the test part of {card.data.name} has pictures of shape "
            f"{tuple(pictures.images.shape[1:])}, the training part {shape}"
        )


def evaluate_part(setting: Setting, model: nn.Module, pictures: Pictures) -> Evaluation:
    """Score the pictures of one part of a run's data."""
    return evaluate(
        model,
        pictures,
        preprocess=setting.preprocess,
        augment=setting.augment,
        machine=setting.machine,
    )
