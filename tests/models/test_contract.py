"""What every network of the table keeps to, whoever wrote it."""

import dataclasses
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Blueprint, Family, Paper, Task

NOT_PUBLISHED = {"wide-resnet-101-2"}  # networks that exist as somebody's weights alone
PER_PIXEL = {"unet"}  # families whose output is a map of scores


@pytest.mark.parametrize("name", models.names())
def test_every_network_keeps_the_contract(name: str) -> None:
    blueprint = models.blueprint(name)
    check_entry(name, blueprint)
    check_spec(blueprint)
    with torch.device("meta"):
        model = blueprint.build().eval()
    check_weights(model)
    check_state(model)
    check_activations(model)
    assert hasattr(blueprint.spec, "dropout") or not any(map(is_dropout, model.modules()))
    calls = relu_calls(model)
    with torch.inference_mode():
        out = model(picture(blueprint))
    check_output(blueprint, out)
    twice = [path for path, count in calls.items() if count > 1]
    assert not twice, f"a ReLU of its own for each place: {twice}"


def test_every_name_stands_once_in_the_table() -> None:
    assert len(set(models.names())) == len(models.names())
    families = [family.name for family in models.FAMILIES]
    assert len(set(families)) == len(families)


@pytest.mark.parametrize("family", models.FAMILIES, ids=lambda family: family.name)
def test_every_family_adapts_to_classes_and_channels(family: Family[Any]) -> None:
    blueprint = next(filter(None, (adapted(name) for name in family.variants)))
    with torch.device("meta"), torch.inference_mode():
        out = blueprint.build().eval()(picture(blueprint))
    check_output(blueprint, out)


def adapted(name: str) -> Blueprint[Any] | None:
    """The network for seven classes and two channels, if it can be had."""
    try:
        return models.blueprint(name, Task(num_classes=7, in_channels=2))
    except UserError:
        return None


def check_entry(name: str, blueprint: Blueprint[Any]) -> None:
    """Paper, summary and departures are filled; a profile says how it departs, and from what."""
    variant = blueprint.variant
    paper = variant.paper
    assert all(getattr(paper, field.name) for field in dataclasses.fields(Paper))
    assert 1989 <= paper.year <= 2026
    for line in (variant.summary, *variant.departures):
        assert line.strip() == line != ""
        assert "\n" not in line
    assert isinstance(variant.departures, tuple)
    assert blueprint.departures == variant.departures
    base, at, profile = name.partition("@")
    if at:
        assert profile
        assert base in models.names() or base in NOT_PUBLISHED
        assert variant.departures


def check_spec(blueprint: Blueprint[Any]) -> None:
    """A frozen dataclass with the fields of a task, which refuses pictures without pixels."""
    spec = blueprint.spec
    assert dataclasses.is_dataclass(spec)
    for key in ("num_classes", "in_channels", "image_size"):
        assert isinstance(getattr(spec, key), int)
        assert getattr(spec, key) >= 1
    assert 0 <= getattr(spec, "dropout", 0.0) < 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.num_classes = 2
    with pytest.raises(UserError):
        models.blueprint(blueprint.name, Task(image_size=0))


def check_weights(model: nn.Module) -> None:
    """Every parameter is floating and can be trained; all state is on the device of the build."""
    for path, parameter in model.named_parameters():
        assert parameter.is_floating_point(), path
        assert parameter.requires_grad, path
        assert parameter.numel(), path
    for path, tensor in model.state_dict().items():
        assert tensor.is_meta, path


def check_state(model: nn.Module) -> None:
    """One key for each tensor and one tensor for each key, also where a file ignores case."""
    keys = list(model.state_dict())
    assert len({key.lower() for key in keys}) == len(keys)
    tensors = [
        *(tensor for _, tensor in model.named_parameters(remove_duplicate=False)),
        *(tensor for _, tensor in model.named_buffers(remove_duplicate=False)),
    ]
    assert len(set(map(id, tensors))) == len(tensors)
    parents = {key.rpartition(".")[0] for key in keys}
    assert not parents & set(keys)


def check_activations(model: nn.Module) -> None:
    """Nothing overwrites its input, and no ReLU stands in two places."""
    for path, module in model.named_modules():
        assert not getattr(module, "inplace", False), path
    relus = [m for _, m in model.named_modules(remove_duplicate=False) if isinstance(m, nn.ReLU)]
    assert len(set(map(id, relus))) == len(relus)


def is_dropout(module: nn.Module) -> bool:
    return isinstance(module, nn.Dropout | nn.Dropout1d | nn.Dropout2d)


def relu_calls(model: nn.Module) -> Counter[str]:
    """How often each ReLU will have run."""
    calls: Counter[str] = Counter()
    for path, module in model.named_modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda *_, path=path: calls.update([path]))
    return calls


def picture(blueprint: Blueprint[Any]) -> Tensor:
    """Two pictures of the published size, without memory."""
    spec = blueprint.spec
    return torch.zeros(2, spec.in_channels, spec.image_size, spec.image_size, device="meta")


def check_output(blueprint: Blueprint[Any], out: object) -> None:
    """Scores for each of two pictures, or for each pixel of them."""
    assert isinstance(out, Tensor)
    assert out.shape[:2] == (2, blueprint.spec.num_classes)
    assert out.ndim == (4 if blueprint.family.name in PER_PIXEL else 2)
    assert out.is_floating_point()
