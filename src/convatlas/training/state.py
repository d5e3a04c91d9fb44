"""What changes while training, and its checkpoint: enough to go on bit for bit."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import torch
from torch import Tensor, nn

from convatlas.training.optimiser import Sgd
from convatlas.training.tensorfile import damaged, read_tensors, write_tensors


class EpochRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of ``metrics.jsonl``: what an epoch brought.

    ``losses`` and ``rates`` follow the epoch in a few equal pieces: the mean loss of each piece
    and the learning rate in its middle.
    """

    epoch: int
    step: int
    lr: float
    train_loss: float
    validation_error: float | None
    seconds: float
    images_per_second: float
    losses: tuple[float, ...]
    rates: tuple[float, ...]


@dataclass(slots=True)
class State:
    """A network under training. ``step`` steps are done; ``losses`` are those of this epoch."""

    model: nn.Module
    optimiser: Sgd
    scaler: torch.amp.GradScaler
    losses: Tensor
    step: int = 0
    history: list[EpochRecord] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)  # weights of the best epoch, if kept
    seconds: float = 0.0  # spent in this epoch


class _Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a checkpoint that is not tensors."""

    step: int
    history: list[EpochRecord]
    seconds: float
    scaler: dict[str, float]


def save_checkpoint(state: State, path: Path, card: str) -> None:
    """Write the whole state and the run's card (as JSON) as one file, atomically."""
    tensors = {"losses": state.losses, "rng.cpu": torch.get_rng_state()}
    if state.losses.is_cuda:
        tensors["rng.cuda"] = torch.cuda.get_rng_state(state.losses.device)
    tensors |= {f"model.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    tensors |= {f"momentum.{index}": v for index, v in enumerate(state.optimiser.momentum)}
    progress = _Progress(
        step=state.step,
        history=state.history,
        seconds=state.seconds,
        scaler=state.scaler.state_dict(),
    )
    strings = {"progress": msgspec.json.encode(progress).decode(), "card": card}
    write_tensors(path, tensors, strings)


def load_checkpoint(state: State, path: Path) -> None:
    """Bring a fresh state to where a checkpoint left off; `UserError` if the file is damaged."""
    tensors, strings = read_tensors(path)
    try:
        progress = msgspec.json.decode(strings["progress"], type=_Progress)
        state.model.load_state_dict(_under("model.", tensors))
        for index, buffer in enumerate(state.optimiser.momentum):
            buffer.copy_(tensors[f"momentum.{index}"])
        state.losses.copy_(tensors["losses"])
        torch.set_rng_state(tensors["rng.cpu"])
    except (msgspec.DecodeError, KeyError, RuntimeError) as error:
        raise damaged(path, error) from None
    if state.losses.is_cuda and "rng.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng.cuda"], state.losses.device)
    state.scaler.load_state_dict(progress.scaler)
    state.best = {k: v.to(state.losses.device) for k, v in _under("best.", tensors).items()}
    state.step, state.history = progress.step, progress.history
    state.seconds = progress.seconds


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
