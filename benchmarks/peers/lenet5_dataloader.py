"""LeNet-5 as tutorials train it: 32x32 PIL images, per-sample transforms, a DataLoader, Adam.

The network is 6-16-120-84-10 with ReLU and max pooling; the batch size is 64. Prints one JSON line
per epoch. Images and labels are the four ``*-ubyte.gz`` files of MNIST.
"""

import time

FIRST_LINE_AT = time.time()  # before the heavy imports, for systems without /proc

import argparse  # noqa: E402
import gzip  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402


def seconds_since_process_start() -> float:
    """Wall seconds since the kernel started this process, the interpreter's start included."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return time.time() - FIRST_LINE_AT
    return uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")


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


class Digits(Dataset[tuple[Tensor, int]]):
    """One split of MNIST: resized to 32x32, decoded and normalised per sample."""

    def __init__(self, folder: Path, split: str) -> None:
        self.images = torch.from_numpy(read_idx(folder / f"{split}-images-idx3-ubyte.gz").copy())
        self.labels = torch.from_numpy(read_idx(folder / f"{split}-labels-idx1-ubyte.gz").copy())

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[index].numpy())
        image = image.resize((32, 32), Image.Resampling.BILINEAR)
        return normalise(to_tensor(image), (0.1307,), (0.3081,)), int(self.labels[index])


def lenet5() -> nn.Sequential:
    """The tutorials' LeNet-5."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def train(model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    """One epoch."""
    loss_function = nn.CrossEntropyLoss()
    model.train()
    for images, labels in loader:
        optimizer.zero_grad()
        loss_function(model(images), labels).backward()
        optimizer.step()


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """The share of the loader's samples that the model gets right."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += int((model(images).argmax(dim=1) == labels).sum())
    return correct / len(loader.dataset)


def main() -> None:
    """Train for ``--epochs`` and print a JSON line after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR_WITH_IDX_GZ")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    training = DataLoader(Digits(arguments.data, "train"), batch_size=64, shuffle=True)
    test = DataLoader(Digits(arguments.data, "t10k"), batch_size=64)
    model = lenet5()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, arguments.epochs + 1):
        train(model, training, optimizer)
        report = {
            "epoch": epoch,
            "test_accuracy": accuracy(model, test),
            "seconds_since_process_start": round(seconds_since_process_start(), 2),
        }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
