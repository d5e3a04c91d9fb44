import pytest
import torch

from convatlas.errors import UserError
from convatlas.training.machine import Machine, find_device, machine_for
from convatlas.training.recipe import Recipe

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_auto_is_plain_float32_on_a_cpu() -> None:
    assert machine_for(Recipe(), CPU) == Machine(CPU)


def test_auto_is_mixed_precision_and_channels_last_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert machine_for(Recipe(), GPU) == Machine(GPU, torch.bfloat16, channels_last=True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert machine_for(Recipe(), GPU) == Machine(GPU, torch.float16, channels_last=True)
    assert machine_for(Recipe(precision="float32", channels_last=False), GPU) == Machine(GPU)


def test_mixed_precision_and_channels_last_can_be_asked_for_on_a_cpu() -> None:
    machine = machine_for(Recipe(precision="bfloat16", channels_last=True), CPU)
    images = machine.layout(torch.zeros(2, 3, 4, 4))
    assert images.is_contiguous(memory_format=torch.channels_last)
    with machine.autocast():
        assert torch.nn.Linear(4, 4)(torch.zeros(1, 4)).dtype == torch.bfloat16


def test_devices_that_are_not_there() -> None:
    for wanted in ("cuda:77", "gpu", "meta7"):
        with pytest.raises(UserError, match=f"no device '{wanted}'"):
            find_device(wanted)
    assert find_device("cpu") == CPU
