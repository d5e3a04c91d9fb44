"""LeNet-5 as tutorials train it: 32x32 PIL images, per-sample transforms, a DataLoader, Adam.

The network is 6-16-120-84-10 with ReLU and max pooling; the batch size is 64. Prints one JSON line
per epoch. Pictures and labels are the four ``*-ubyte.gz`` files of MNIST.
"""

import json

import torch
from pipeline import Digits, accuracy, arguments
from torch import nn
from torch.utils.data import DataLoader


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


def main() -> None:
    """Train for ``--epochs`` and print a JSON line after each."""
    given = arguments(__doc__, epochs=10)
    torch.manual_seed(given.seed)
    training = DataLoader(Digits(given.data, "train", side=32), batch_size=64, shuffle=True)
    test = DataLoader(Digits(given.data, "t10k", side=32), batch_size=64)
    model = lenet5()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, given.epochs + 1):
        train(model, training, optimizer)
        print(json.dumps({"epoch": epoch, "test_accuracy": accuracy(model, test)}), flush=True)


if __name__ == "__main__":
    main()
