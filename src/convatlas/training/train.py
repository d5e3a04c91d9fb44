"""From a request to a finished run: the protocol, in order.

1. The validation part is cut from the training set; every choice is made on it.
2. Pre-processing figures are taken from what is left.
3. The network is trained.
4. The sealed test part is opened, once, and its error goes on the card with the opening.
"""

import dataclasses

import msgspec
import torch

from convatlas.data.batches import Batches
from convatlas.data.dataset import Dataset
from convatlas.errors import UserError
from convatlas.files import make_folder, remove_folder, write_atomically
from convatlas.training.card import to_json
from convatlas.training.close import Finished, close, evaluate_part
from convatlas.training.folder import check_begun
from convatlas.training.interrupt import interruptible
from convatlas.training.loop import Diverged, Job, Watcher, fit
from convatlas.training.losses import loss_of
from convatlas.training.optimiser import Sgd
from convatlas.training.prepare import Request, Setting, prepare, request_of
from convatlas.training.recipe import to_toml
from convatlas.training.run import (
    RunFolder,
    load_run,
    openings_so_far,
    read_card,
    write_metrics,
)
from convatlas.training.state import State, load_checkpoint, save_checkpoint
from convatlas.training.tensorfile import read_tensors


def train(
    request: Request, folder: RunFolder, watcher: Watcher, checkpoint_steps: int | None = None
) -> Finished:
    """Train into a new, empty folder.

    Raises `UserError` for bad input or a full disk, with nothing left behind, and `Diverged` for
    a loss that is not finite. Ctrl-C stops after the current step and leaves a run that can be
    used and resumed.
    """
    setting = prepare(request)
    made = make_folder(folder.path)
    state: State | None = None
    try:
        state = fresh_state(setting)
        write_atomically(folder.recipe, to_toml(request.recipe))
        save_checkpoint(state, folder.checkpoint, to_json(setting.card))
        return _run(setting, state, folder, watcher, checkpoint_steps)
    except BaseException as error:
        learned = state is not None and (state.history or isinstance(error, KeyboardInterrupt))
        if not learned:  # nothing is there that is worth keeping
            remove_folder(folder.path, made)
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
    check_begun(folder.path)
    if not folder.checkpoint.exists():
        raise UserError(f"nothing to resume: {folder.path} {_why_not_resumable(folder)}")
    card = read_card(folder.checkpoint, read_tensors(folder.checkpoint)[1])
    setting = prepare(request_of(card, data))
    if setting.card.data.checksums != card.data.checksums:
        raise UserError(
            f"{card.data.name} has changed since {folder.path} was started; "
            "put the files back as they were, or start a new run"
        )
    # Openings of the test part by earlier processes stay on the card.
    earlier = (*card.test_openings, *openings_so_far(folder), *setting.card.test_openings)
    remembered = msgspec.structs.replace(
        setting.card, test_openings=tuple(sorted(set(earlier), key=lambda opened: opened.when))
    )
    setting = dataclasses.replace(setting, card=remembered)
    state = fresh_state(setting)
    load_checkpoint(state, folder.checkpoint)
    for leftover in folder.path.glob(".*.part"):  # of a process that was killed while writing
        leftover.unlink(missing_ok=True)
    return _run(setting, state, folder, watcher, checkpoint_steps)


def _why_not_resumable(folder: RunFolder) -> str:
    status = load_run(folder.path).card.status
    if status == "diverged":
        return "diverged, and would again; start a new run with a lower learning rate"
    return f"is {status} and has no {folder.checkpoint.name}"


def fresh_state(setting: Setting) -> State:
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
            check_weights(state)
    except Diverged:
        if history := state.history:  # the last checkpoint was written with finite weights
            load_checkpoint(state, folder.checkpoint)
            state.history = history
            close(setting, state, folder, "diverged")
        folder.checkpoint.unlink(missing_ok=True)  # going on from it would diverge again
        raise
    return close(setting, state, folder, ending)


def check_weights(state: State) -> None:
    """Raise `Diverged` if the last step, whose loss nobody has seen yet, blew up the weights."""
    if not all(bool(weight.isfinite().all()) for weight in state.model.parameters()):
        raise Diverged(f"the weights are not finite after step {state.step}; lower --lr")


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
        evaluation = evaluate_part(setting, state.model, validation)
        if not bool(evaluation.scores.isfinite().all()):
            raise Diverged(f"the scores are not finite after step {state.step}; lower --lr")
        return evaluation.error

    def save(state: State) -> None:
        check_weights(state)
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
