"""From a request to a finished run: the protocol, in order.

1. The validation part is cut from the training set; every choice is made on it.
2. Pre-processing figures are taken from what is left.
3. The network is trained.
4. The sealed test part is opened, once, and its error goes on the card with the opening.
"""

import shutil
from dataclasses import dataclass
from typing import Literal

import msgspec
import torch
from torch import nn

from convatlas.data.batches import Batches
from convatlas.data.dataset import Dataset, Pictures
from convatlas.errors import UserError
from convatlas.files import make_folder, write_atomically
from convatlas.training.archive import archive, save_archive
from convatlas.training.card import Card, openings, score, to_json
from convatlas.training.evaluate import Evaluation, evaluate
from convatlas.training.interrupt import interruptible
from convatlas.training.loop import Diverged, Job, Watcher, fit
from convatlas.training.losses import loss_of
from convatlas.training.optimiser import Sgd
from convatlas.training.prepare import Request, Setting, prepare, request_of
from convatlas.training.recipe import to_toml
from convatlas.training.run import RunFolder, read_card, save_model, write_metrics
from convatlas.training.state import EpochRecord, State, load_checkpoint, save_checkpoint
from convatlas.training.tensorfile import read_tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has come to its end, or was stopped (then the test part is still sealed)."""

    folder: RunFolder
    card: Card
    validation: Evaluation | None
    test: Evaluation | None
    history: tuple[EpochRecord, ...]


def train(
    request: Request, folder: RunFolder, watcher: Watcher, checkpoint_steps: int | None = None
) -> Finished:
    """Train into a new, empty folder.

    Raises `UserError` for bad input or a full disk, with nothing left behind, and `Diverged` for
    a loss that is not finite. Ctrl-C stops after the current step and leaves a run that can be
    used and resumed.
    """
    setting = prepare(request)
    make_folder(folder.path)
    state = _fresh_state(setting)
    try:
        write_atomically(folder.recipe, to_toml(request.recipe))
        save_checkpoint(state, folder.checkpoint, to_json(setting.card))
        return _run(setting, state, folder, watcher, checkpoint_steps)
    except UserError:
        if not state.history:  # nothing was learned that is worth keeping
            shutil.rmtree(folder.path, ignore_errors=True)
        raise


def resume(
    folder: RunFolder,
    watcher: Watcher,
    checkpoint_steps: int | None = None,
    data: Dataset | None = None,
) -> Finished:
    """Go on from the checkpoint of an unfinished run, with the batches it would have seen.

    On a CPU with the same number of threads the weights come out bit for bit as undisturbed.
    """
    if not folder.checkpoint.exists():
        reason = "is finished" if folder.model.exists() else "is not a run folder"
        raise UserError(f"nothing to resume: {folder.path} {reason} (no {folder.checkpoint.name})")
    card = read_card(folder.checkpoint, read_tensors(folder.checkpoint)[1])
    setting = prepare(request_of(card, data))
    if setting.card.data.checksums != card.data.checksums:
        raise UserError(
            f"{card.data.name} has changed since {folder.path} was started; "
            "put the files back as they were, or start a new run"
        )
    state = _fresh_state(setting)
    load_checkpoint(state, folder.checkpoint)
    return _run(setting, state, folder, watcher, checkpoint_steps)


def _fresh_state(setting: Setting) -> State:
    """Weights drawn with the run's seed, an optimiser that has not moved."""
    recipe, device = setting.card.recipe, setting.machine.device
    torch.manual_seed(setting.card.seed)
    model = setting.machine.place(setting.blueprint.build())
    optimiser = Sgd(model.parameters(), recipe)
    scaler = torch.amp.GradScaler(
        device.type, enabled=device.type == "cuda" and setting.machine.mixed == torch.float16
    )
    losses = torch.zeros(_batches(setting).per_epoch, device=device)
    return State(model=model, optimiser=optimiser, scaler=scaler, losses=losses)


def _run(
    setting: Setting,
    state: State,
    folder: RunFolder,
    watcher: Watcher,
    checkpoint_steps: int | None,
) -> Finished:
    """Train what is left to train, then close the run."""
    job = _job(setting, state, folder, checkpoint_steps)
    try:
        with interruptible(watcher) as watching:
            watching.begin(setting.card)
            ending = fit(state, job, watching)
    except Diverged:
        folder.checkpoint.unlink(missing_ok=True)  # going on from it would diverge again
        raise
    return _close(setting, state, folder, job, ending)


def _batches(setting: Setting) -> Batches:
    recipe = setting.card.recipe
    return Batches(
        pictures=setting.training,
        size=recipe.batch,
        seed=setting.card.seed,
        augment=setting.augment,
    )


def _job(setting: Setting, state: State, folder: RunFolder, checkpoint_steps: int | None) -> Job:
    machine, preprocess = setting.machine, setting.preprocess.to(setting.machine.device)
    validation = setting.validation

    def validation_error() -> float:
        assert validation is not None
        return _evaluate(setting, state.model, validation).error

    def save(state: State) -> None:
        save_checkpoint(state, folder.checkpoint, to_json(setting.card))
        write_metrics(folder, state.history)

    return Job(
        recipe=setting.card.recipe,
        batches=_batches(setting),
        prepare=lambda images: machine.layout(preprocess(images)),
        loss=loss_of(setting.card.recipe),
        machine=machine,
        validation_error=validation_error if validation else None,
        save=save,
        checkpoint_steps=checkpoint_steps,
    )


def _evaluate(setting: Setting, model: nn.Module, pictures: Pictures) -> Evaluation:
    return evaluate(
        model,
        pictures,
        preprocess=setting.preprocess,
        augment=setting.augment,
        machine=setting.machine,
    )


def _close(
    setting: Setting,
    state: State,
    folder: RunFolder,
    job: Job,
    ending: Literal["finished", "interrupted"],
) -> Finished:
    """Evaluate, open the test part if the run is finished, and write the files of the run."""
    if state.best:
        state.model.load_state_dict(state.best)
    shown, part = setting.validation, _name_of_validation(setting)
    validation = _evaluate(setting, state.model, shown) if shown else None
    test = None
    if ending == "finished":
        shown, part = _test_pictures(setting), "test"
        test = _evaluate(setting, state.model, shown)
    card = msgspec.structs.replace(
        setting.card,
        status=ending,
        step=state.step,
        steps=job.steps,
        seconds=sum(record.seconds for record in state.history) + state.seconds,
        validation=score(validation) if validation else None,
        test=score(test) if test else None,
        test_openings=openings(setting.dataset),
    )
    card = save_model(folder, card, state.model, setting.preprocess)
    evaluation = test or validation
    if evaluation and shown:
        save_archive(archive(part, evaluation, shown), folder.evaluation)
    write_metrics(folder, state.history)
    if ending == "finished":
        folder.checkpoint.unlink(missing_ok=True)
    return Finished(
        folder=folder, card=card, validation=validation, test=test, history=tuple(state.history)
    )


def _test_pictures(setting: Setting) -> Pictures:
    """The test part: opened here for the first time, unless choices were made on it already."""
    if setting.card.selected_on == "test" and setting.validation:
        return setting.validation
    return setting.dataset.test.open("train, after the last step")


def _name_of_validation(setting: Setting) -> str:
    """The part that choices were made on."""
    return "test" if setting.card.selected_on == "test" else "validation"
