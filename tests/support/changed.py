"""Networks of torchvision and what is changed in them, for comparisons."""

import copy
from collections.abc import Callable
from functools import cache

import torch
from references import torchvision
from torch import Tensor, nn

from convatlas.capture.capture import capture
from convatlas.graph.graph import Graph

Change = Callable[[nn.Module], object]


def network(name: str, **settings: object) -> nn.Module:
    """A network of torchvision without weights, in evaluation mode."""
    if name in ("googlenet", "inception_v3"):
        settings |= {"init_weights": False}
    with torch.device("meta"):
        return getattr(torchvision.models, name)(weights=None, **settings).eval()


def graph(module: nn.Module, size: int = 224) -> Graph:
    """Its graph for one picture."""
    return capture(module, (1, 3, size, size))


@cache
def untouched(name: str) -> Graph:
    """The graph of a network as it is."""
    return graph(network(name), 299 if name == "inception_v3" else 224)


def changed(name: str, change: Change) -> Graph:
    """The graph of a network after a change."""
    module = network(name)
    change(module)
    return graph(module)


def every(kind: type[nn.Module], **settings: object) -> Change:
    """Attributes set on all modules of a kind."""

    def change(module: nn.Module) -> None:
        for part in module.modules():
            if isinstance(part, kind):
                for name, value in settings.items():
                    setattr(part, name, value)

    return change


def instead_of(kind: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> Change:
    """All modules of a kind exchanged."""

    def change(module: nn.Module) -> None:
        for path, part in list(module.named_modules()):
            if isinstance(part, kind):
                module.set_submodule(path, make(part))

    return change


def put(path: str, part: nn.Module) -> Change:
    """One module exchanged."""
    return lambda module: module.set_submodule(path, part)


def reordered(path: str, order: tuple[int, ...]) -> Change:
    """The parts of a sequence in another order, with some left out or doubled."""

    def change(module: nn.Module) -> None:
        parts = module.get_submodule(path)
        picked = [copy.deepcopy(parts[n]) for n in order]
        module.set_submodule(path, nn.Sequential(*picked))

    return change


class Branches(nn.Module):
    """Branches of an inception module run and joined in given orders."""

    def __init__(self, block: nn.Module, run: tuple[int, ...], joined: tuple[int, ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(block.get_submodule(f"branch{n + 1}") for n in range(4))
        self.run, self.joined = run, joined

    def forward(self, x: Tensor) -> Tensor:
        made = {n: self.branches[n](x) for n in self.run}
        return torch.cat([made[n] for n in self.joined], 1)


class NoShortcut(nn.Module):
    """A bottleneck without its shortcut."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        b = self.block
        x = b.relu(b.bn1(b.conv1(x)))
        x = b.relu(b.bn2(b.conv2(x)))
        return b.relu(b.bn3(b.conv3(x)))
