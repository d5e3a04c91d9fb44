"""The PyTorch MNIST example (pytorch/examples, ``mnist/main.py``), rebuilt without torchvision.

Same network, optimiser, schedule, batch sizes and per-sample input pipeline as the example.
Prints one JSON line per epoch. Pictures and labels are the four ``*-ubyte.gz`` files of MNIST.
"""

import json

import torch
import torch.nn.functional as F
from pipeline import Digits, accuracy, arguments
from torch import Tensor, nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader


class Net(nn.Module):
    """The example's network: two 3x3 convolutions, one pooling, two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = self.dropout1(F.max_pool2d(x, 2))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return F.log_softmax(self.fc2(self.dropout2(x)), dim=1)


def train(model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    """One epoch."""
    model.train()
    for data, target in loader:
        optimizer.zero_grad()
        F.nll_loss(model(data), target).backward()
        optimizer.step()


def main() -> None:
    """Train for ``--epochs`` and print a JSON line after each."""
    given = arguments(__doc__, epochs=14)
    torch.manual_seed(given.seed)
    training = DataLoader(Digits(given.data, "train"), batch_size=64, shuffle=True)
    test = DataLoader(Digits(given.data, "t10k"), batch_size=1000)
    model = Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(1, given.epochs + 1):
        train(model, training, optimizer)
        print(json.dumps({"epoch": epoch, "test_accuracy": accuracy(model, test)}), flush=True)
        scheduler.step()


if __name__ == "__main__":
    main()
