"""The independent implementations that networks are compared with; never imported by the package.

``torchvision`` has no build for every build of torch: its compiled operators may be missing, while
the models need none of them. Registering the fake forms of those operators is left out on import.
"""

from unittest.mock import patch

import torch

with patch.object(torch.library, "register_fake", lambda *_a, **_k: lambda function: function):
    import torchvision

import timm

__all__ = ["timm", "torchvision"]
