"""The per-sample input pipeline both peers share, rebuilt without torchvision.

Each picture becomes a PIL image, then a float tensor, then a normalised one, one sample at a time,
as torchvision's MNIST dataset with ``ToTensor`` and ``Normalize`` does it.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset[tuple[Tensor, int]]):
    """One split of MNIST, decoded (and, if asked, resized) and normalised per sample."""

    def __init__(self, folder: Path, split: str, side: int = 28) -> None:
        self.images = torch.from_numpy(read_idx(folder / f"{split}-images-idx3-ubyte.gz").copy())
        self.labels = torch.from_numpy(read_idx(folder / f"{split}-labels-idx1-ubyte.gz").copy())
        self.side = side

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[index].numpy())
        if self.side != 28:
            image = image.resize((self.side, self.side), Image.Resampling.BILINEAR)
        return normalise(to_tensor(image), (0.1307,), (0.3081,)), int(self.labels[index])


def read_idx(path: Path) -> np.ndarray:
    """The array in one gzipped idx file of unsigned bytes."""
    blob = gzip.decompress(path.read_bytes())
    axes = blob[3]
    shape = np.frombuffer(blob, dtype=">i4", count=axes, offset=4)
    return np.frombuffer(blob, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def to_tensor(image: Image.Image) -> Tensor:
    """What torchvision's ``ToTensor`` does to an 8-bit grey image."""
    array = torch.from_numpy(np.array(image, np.uint8, copy=True))
    planes = array.view(image.size[1], image.size[0], len(image.getbands()))
    return planes.permute((2, 0, 1)).contiguous().to(torch.float32).div(255)


def normalise(tensor: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """What torchvision's ``Normalize`` does, out of place."""
    tensor = tensor.clone()
    means = torch.as_tensor(mean, dtype=tensor.dtype).view(-1, 1, 1)
    stds = torch.as_tensor(std, dtype=tensor.dtype).view(-1, 1, 1)
    return tensor.sub_(means).div_(stds)


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """The share of the loader's samples that the model gets right."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += int((model(images).argmax(dim=1) == labels).sum())
    return correct / len(loader.dataset)


def arguments(description: str | None, epochs: int) -> argparse.Namespace:
    """``--data``, ``--epochs`` and ``--seed``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR_WITH_IDX_GZ")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()
