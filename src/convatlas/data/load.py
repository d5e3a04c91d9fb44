"""Data sets by name."""

from pathlib import Path

from convatlas.data.cifar import CIFAR_10, CIFAR_100, cifar
from convatlas.data.convert import check_channels, with_channels
from convatlas.data.dataset import Dataset
from convatlas.data.fashion import SOURCE
from convatlas.data.idx_sets import fashion_mnist, mnist
from convatlas.data.locate import at_hand, locate
from convatlas.data.names import FOLDER, folder_of, unknown_data
from convatlas.errors import UserError


def load(name: str, *, size: int | None = None, channels: int | None = None) -> Dataset:
    """A named set, or ``folder:PATH``, whose pictures are decoded at ``size`` and ``channels``.

    A named set has one size, and another is refused; its channels are converted if they differ.
    """
    if channels is not None:
        check_channels(channels)
    if name.startswith(FOLDER):
        path = folder_of(name)
        from convatlas.data.folder import load_folder  # imports Pillow, which MNIST never needs

        return load_folder(path, size=size, channels=channels)
    dataset = _named(name)
    native = dataset.train.images.shape[-1]
    if size not in (None, native):
        raise UserError(
            f"{name} has pictures of {native} x {native}, not {size} x {size}; leave the size out"
        )
    return dataset if channels is None else with_channels(dataset, channels)


def is_at_hand(name: str) -> bool:
    """Whether a set can be loaded without fetching it; not for a name that is unknown."""
    if name.startswith(FOLDER):
        return Path(name.removeprefix(FOLDER)).expanduser().is_dir()
    sources = {"fashion-mnist": SOURCE, "cifar10": CIFAR_10.source, "cifar100": CIFAR_100.source}
    return name == "mnist" or (name in sources and at_hand(sources[name]) is not None)


def _named(name: str) -> Dataset:
    """The set of that name, located and its training part read."""
    match name:
        case "mnist":
            return mnist()
        case "fashion-mnist":
            return fashion_mnist(locate(SOURCE))
        case "cifar10":
            return cifar(CIFAR_10, locate(CIFAR_10.source))
        case "cifar100":
            return cifar(CIFAR_100, locate(CIFAR_100.source))
    raise unknown_data(name)
