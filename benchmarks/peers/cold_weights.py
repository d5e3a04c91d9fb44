"""The files that the benchmark of cold starts compares with: one set of weights, a photo.

python cold_weights.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from vision import models


def main() -> None:
    """Drawn weights, and statistics of batch norm with which scores depend on the picture."""
    folder = Path(sys.argv[1])
    torch.manual_seed(0)
    model = models.resnet50()
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # the plain mean over batches
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(4, 3, 224, 224))
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, folder / "resnet50.safetensors")
    coarse = np.random.default_rng(0).integers(0, 256, (15, 15, 3), np.uint8)
    photo = Image.fromarray(coarse).resize((600, 600), Image.Resampling.BICUBIC)
    photo.save(folder / "photo.jpg", quality=90)


main()
