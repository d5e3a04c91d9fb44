"""Reading weights into a network, if they are that network's."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from convatlas import models
from convatlas.checkpoints.adapt import task_of
from convatlas.checkpoints.judge import CARD, judged, of_run
from convatlas.checkpoints.meaning import fingerprint, of_blueprint
from convatlas.checkpoints.read import WeightFile, read_weights
from convatlas.checkpoints.recognise import COUNTER, OURS, Fit, fitted
from convatlas.checkpoints.record import Record, describe, from_header, remember
from convatlas.errors import UserError
from convatlas.models.family import Blueprint, Task


def load_weights(
    name: str, path: str | Path, *, task: Task | None = None, force: bool = False
) -> nn.Module:
    """The named network with the weights of a file, in evaluation mode.

    The file is ours or of torchvision or timm, told by its keys. ``task`` is by default what the
    file says of itself, or as published. Auxiliary heads that the file lacks are left out. Raises
    `UserError` for a file of another network, also if only its meaning is another; with ``force``
    that is noted in the module's record (`record_of`) and in files saved from it.
    """
    file = read_weights(Path(path))
    fit = fitted(file, _wanted(name, task, file))
    judgement = judged(file, fit)
    if judgement.against and not force:
        raise UserError(judgement.against)
    earlier = judgement.record.forced if judgement.record else ()
    forced = (*earlier, judgement.against) if judgement.against else earlier
    module = _filled(fit)
    remember(module, _record(fit, forced))
    return module


def _wanted(name: str, task: Task | None, file: WeightFile) -> Blueprint[Any]:
    """The network asked for; without a task, adapted as the file's was."""
    if task is not None:
        return models.blueprint(name, task)
    stored = from_header(file.path, file.strings)
    if stored is not None:
        own, said = stored[0].name, stored[0].task
    elif CARD in file.strings:
        trained = of_run(file)
        own, said = trained.name, task_of(trained)
    else:
        return models.blueprint(name)
    classes = Task(num_classes=said.num_classes, in_channels=said.in_channels)
    return models.blueprint(name, said if own == name else classes)


def _filled(fit: Fit) -> nn.Module:
    """The network with the file's tensors; its own weights are not drawn if that can be avoided."""
    module = fit.blueprint.layout()
    state = module.state_dict()
    if any(key not in state for key, _ in module.named_buffers()):  # constants, not in any file
        with torch.random.fork_rng(devices=()):
            module = fit.blueprint.build()
    filling = {key: _value(fit, key, tuple(own.shape)) for key, own in state.items()}
    module.load_state_dict(filling, assign=True)
    return module.eval()


def _value(fit: Fit, key: str, shape: tuple[int, ...]) -> Tensor:
    """A copy of the file's tensor in our shape; a counter that it does not have is zero."""
    other = fit.names[key]
    if other in fit.tensors:
        return fit.tensors[other].reshape(shape).clone(memory_format=torch.contiguous_format)
    assert other.endswith(COUNTER)
    return torch.zeros(shape, dtype=torch.int64)


def _record(fit: Fit, forced: tuple[str, ...]) -> Record:
    layout = "convatlas" if fit.layout is OURS else fit.layout.label
    return describe(fit.blueprint, fingerprint(of_blueprint(fit.blueprint)), layout, forced)
