"""Where and in which precision a run computes."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.training.recipe import Recipe

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, the type of mixed precision (``None`` is plain float32), the memory layout."""

    device: torch.device
    mixed: torch.dtype | None = None
    channels_last: bool = False

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the forward pass runs."""
        return torch.autocast(self.device.type, self.mixed, enabled=self.mixed is not None)

    def place(self, model: nn.Module) -> nn.Module:
        """Move a model here, in this machine's layout."""
        if self.channels_last:
            # torch's annotations of Module.to leave memory_format out
            return model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return model.to(self.device)

    def layout(self, images: Tensor) -> Tensor:
        """Bring a batch into this machine's layout."""
        return (
            images.contiguous(memory_format=torch.channels_last) if self.channels_last else images
        )


def find_device(wanted: str = "auto") -> torch.device:
    """The device asked for; ``auto`` is a GPU if there is one. `UserError` if it is not there."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if wanted not in ("cpu", *gpus, *(["cuda"] if gpus else [])):
        usable = ", ".join(("auto", "cpu", *gpus))
        raise UserError(f"no device {wanted!r} on this machine; usable: {usable}")
    return torch.device(wanted)


def machine_for(recipe: Recipe, device: torch.device) -> Machine:
    """What the recipe's ``auto`` means on a device."""
    on_gpu = device.type == "cuda"
    if recipe.precision == "auto":
        gpu_type = torch.bfloat16 if on_gpu and torch.cuda.is_bf16_supported() else torch.float16
        mixed = gpu_type if on_gpu else None
    else:
        mixed = DTYPES.get(recipe.precision)
    channels_last = on_gpu if recipe.channels_last == "auto" else recipe.channels_last
    return Machine(device, mixed, channels_last)
