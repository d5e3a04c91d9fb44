"""torchvision's networks, built as they stand, on the CPU or without storage ("meta").

torchvision has no build for every build of torch: its compiled operators may be missing, which the
networks do not need. Registering the fake forms of those operators is left out on import.
"""

from unittest.mock import patch

import torch
from torch import nn

with patch.object(torch.library, "register_fake", lambda *_a, **_k: lambda function: function):
    from torchvision import models

SIZES = {"resnet152": 224, "densenet201": 224, "inception_v3": 299, "swin_t": 224}


def build(name: str, device: str) -> nn.Module:
    """A network in evaluation mode; drawing weights anew for Inception v3 alone takes minutes."""
    options = {"init_weights": False} if name == "inception_v3" else {}
    with torch.device(device):
        return getattr(models, name)(**options).eval()
