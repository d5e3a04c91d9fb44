"""A package of networks of one's own, right and wrong, as files in a folder."""

from pathlib import Path

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


class Needs(nn.Module):
    def __init__(self, width, depth=3, *, kernel):
        super().__init__()


class Two(nn.Module):
    def forward(self, a, b):
        return a + b


class Bug(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.conv(x).nothing


class View(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.dense = nn.Conv2d(3, 8, 3), nn.Linear(8 * 36, 10)

    def forward(self, x):
        x = self.conv(x)
        return self.dense(x.view(x.shape[0], 8 * 36))


def Unfitting():
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(32, 8, 3))


class Branching(nn.Module):
    def forward(self, x):
        return torch.relu(x) if x.mean() > 0 else x


instance = Net()


def factory():
    return Net()


def wide(width=5):
    return nn.Sequential(nn.Conv2d(3, width, 3))


def number():
    return 3


def gone():
    return {}["gone"]


def inside():
    return nn.Conv2d(3, 8, 3, groups=2)


def quits():
    raise SystemExit(7)


class Space:
    net = instance


def sequence():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5))


def line():
    return nn.Sequential(nn.Conv1d(2, 4, 5), nn.MaxPool1d(2))
"""
FILES = {
    "nets/__init__.py": "",
    "nets/good.py": NETS,
    "nets/broken.py": "x = 1\nraise RuntimeError('boom\\nat import')\n",
    "nets/wanting.py": "import nowhere_to_be_found\n",
    "nets/wrong.py": "def f(:\n    pass\n",
}


def paste(folder: Path, name: str) -> None:
    """Write the package under a name of its own, so that no test meets another's modules."""
    for path, text in FILES.items():
        file = folder / path.replace("nets", name, 1)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
