"""The training loop: steps, checks, an evaluation after each epoch, checkpoints."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from convatlas.data.batches import Batches
from convatlas.errors import UserError
from convatlas.training.card import Card
from convatlas.training.losses import Loss
from convatlas.training.machine import Machine
from convatlas.training.recipe import Recipe
from convatlas.training.schedule import Moment, factor
from convatlas.training.state import EpochRecord, State

CHECK_EVERY = 20  # steps between two looks at the loss; each look makes a GPU wait
PIECES = 20  # points of an epoch's curve


class Watcher(Protocol):
    """Told how training goes, and asked whether to stop."""

    def begin(self, card: Card) -> None:
        """Everything is in order; the first step comes next."""

    def step(self, done: int, total: int, loss: float) -> None:
        """``done`` of ``total`` steps are behind, the last one with that loss."""

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""

    def wants_stop(self) -> bool:
        """Asked after each step."""


class Silent:
    """A watcher that shows nothing and never stops."""

    def begin(self, card: Card) -> None:
        """Show nothing."""

    def step(self, done: int, total: int, loss: float) -> None:
        """Show nothing."""

    def epoch(self, record: EpochRecord) -> None:
        """Show nothing."""

    def wants_stop(self) -> bool:
        """Never."""
        return False


class Diverged(UserError):
    """The loss stopped being a finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All that stays the same while training."""

    recipe: Recipe
    batches: Batches
    prepare: Callable[[Tensor], Tensor]
    loss: Loss
    machine: Machine
    validation_error: Callable[[], float] | None  # None without a validation part
    save: Callable[[State], None]  # writes a checkpoint
    checkpoint_steps: int | None = None
    checkpoint_seconds: float = 30.0

    @property
    def steps(self) -> int:
        """Steps in the whole run."""
        return self.recipe.epochs * self.batches.per_epoch


def fit(state: State, job: Job, watcher: Watcher) -> Literal["finished", "interrupted"]:
    """Train from ``state.step`` to the end, or until the watcher wants to stop.

    Raises `Diverged`, naming step and learning rate, when a loss is not finite. A checkpoint is
    written after each epoch but the last, in between as the job says, and when stopped.
    """
    state.model.train()
    per_epoch, saved = job.batches.per_epoch, time.monotonic()
    for epoch in range(state.step // per_epoch, job.recipe.epochs):
        started = time.monotonic() - state.seconds
        for images, labels in job.batches.epoch(epoch, first=state.step % per_epoch):
            freeze_parts(state, job)
            train_step(state, job, images, labels)
            state.seconds, in_epoch = time.monotonic() - started, state.step - epoch * per_epoch
            if in_epoch % CHECK_EVERY == 0 or in_epoch == per_epoch:
                watcher.step(state.step, job.steps, checked_loss(state, job, in_epoch))
            if in_epoch == per_epoch:
                continue  # the end of the epoch saves, and it may be the end of the run
            stop = watcher.wants_stop()
            if stop or _is_due(state.step, saved, job):
                checked_loss(state, job, in_epoch)
                job.save(state)
                saved = time.monotonic()
            if stop:
                return "interrupted"
        finish_epoch(state, job, watcher, epoch)
        if state.step < job.steps:
            job.save(state)
            saved = time.monotonic()
            if watcher.wants_stop():
                return "interrupted"
    return "finished"


def train_step(state: State, job: Job, images: Tensor, labels: Tensor) -> None:
    """One forward and backward pass and one move of the weights."""
    optimiser, scaler = state.optimiser, state.scaler
    optimiser.lr = learning_rate(state, job, state.step)
    with job.machine.autocast():
        loss = job.loss(state.model(job.prepare(images)), labels)
    optimiser.clear()
    torch.autograd.backward(scaler.scale(loss))
    if job.recipe.clip_norm is not None:
        scaler.unscale_(cast(Optimizer, optimiser))
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), job.recipe.clip_norm)
    scaler.step(cast(Optimizer, optimiser))
    scaler.update()
    state.losses[state.step % job.batches.per_epoch] = loss.detach()
    state.step += 1


def freeze_parts(state: State, job: Job) -> None:
    """Take the parts whose time has come out of the gradient."""
    for freeze in job.recipe.freeze:
        if state.step >= freeze.after * job.steps:
            state.model.get_submodule(freeze.part).requires_grad_(False)


def learning_rate(state: State, job: Job, step: int) -> float:
    """The rate of a step of the current epoch."""
    errors = tuple(r.validation_error for r in state.history if r.validation_error is not None)
    moment = Moment(step, job.steps, job.batches.per_epoch, errors)
    return job.recipe.lr * factor(job.recipe.schedule, moment)


def checked_loss(state: State, job: Job, in_epoch: int) -> float:
    """The last loss of this epoch; raises `Diverged` if any of them is not finite."""
    losses = state.losses[:in_epoch]
    bad = (~losses.isfinite()).nonzero()
    if not len(bad):
        return float(losses[-1])
    step = state.step - in_epoch + int(bad[0])
    raise Diverged(
        f"the loss is {float(losses[bad[0]])} at step {step + 1} of {job.steps} with learning rate "
        f"{learning_rate(state, job, step):.4g}; lower it (--lr, now {job.recipe.lr:g}) or clip "
        "the gradients (clip_norm in a recipe file)"
    )


def finish_epoch(state: State, job: Job, watcher: Watcher, epoch: int) -> None:
    """Evaluate on the validation part, note the epoch, keep the weights if they are the best."""
    error = job.validation_error() if job.validation_error else None
    lowest = min(
        (r.validation_error for r in state.history if r.validation_error is not None),
        default=math.inf,
    )
    if job.recipe.keep == "best" and error is not None and error < lowest:
        state.best = {name: value.clone() for name, value in state.model.state_dict().items()}
    per_epoch = job.batches.per_epoch
    pieces = torch.tensor_split(state.losses, min(PIECES, per_epoch))
    middles = [
        epoch * per_epoch + int((i + 0.5) * per_epoch / len(pieces)) for i in range(len(pieces))
    ]
    record = EpochRecord(
        epoch=epoch + 1,
        step=state.step,
        lr=learning_rate(state, job, state.step - 1),
        train_loss=float(state.losses.mean()),
        validation_error=error,
        seconds=state.seconds,
        images_per_second=len(job.batches.pictures.labels) / state.seconds,
        losses=tuple(float(piece.mean()) for piece in pieces),
        rates=tuple(learning_rate(state, job, step) for step in middles),
    )
    state.history.append(record)
    state.seconds = 0.0
    watcher.epoch(record)


def _is_due(step: int, saved: float, job: Job) -> bool:
    """Whether a checkpoint inside an epoch should be written now."""
    if job.checkpoint_steps is not None:
        return step % job.checkpoint_steps == 0
    return time.monotonic() - saved > job.checkpoint_seconds
