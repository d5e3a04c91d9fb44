"""One picture by torch eager: weights of a safetensors file, a JPEG, its five likeliest classes.

python cold_torch.py WEIGHTS JPEG [--lean]

As most scripts have it, with torchvision's network; or lean: torch alone, and no weights drawn only
to be overwritten.
"""

import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Print the five."""
    weights, picture = sys.argv[1:3]
    model = lean() if "--lean" in sys.argv else usual()
    model.load_state_dict(load_file(weights))
    with torch.inference_mode():
        scores = model(prepared(picture))
    best = scores.softmax(1)[0].topk(5)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    print(", ".join(f"{index} {value:.1%}" for index, value in pairs), flush=True)


def usual() -> nn.Module:
    """As in vision.py: torchvision's operators, which it does not need, may not fit this torch."""
    torch.library.register_fake = lambda *_a, **_k: lambda function: function
    from torchvision import models

    return models.resnet50().eval()


def lean() -> nn.Module:
    """The same network written out, its weights left as they happen to be."""
    for layer in (nn.Conv2d, nn.Linear):
        layer.reset_parameters = lambda self: None
    from plain_resnet50 import ResNet50

    return ResNet50().eval()


def prepared(path: str) -> torch.Tensor:
    """Shorter side to 256, the middle 224, less the mean over the deviation."""
    image = Image.open(path).convert("RGB")
    scale = 256 / min(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / 255
    pixels = (pixels - np.float32(MEAN)) / np.float32(DEVIATION)
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


main()
