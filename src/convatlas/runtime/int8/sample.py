"""Real pictures for quantising: some to calibrate on, others to judge by. No test part is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convatlas.data.class_folders import pictures_alone
from convatlas.data.convert import with_channels
from convatlas.data.dataset import Dataset, Pictures
from convatlas.data.decode import DecodeError, decode
from convatlas.data.folder_read import in_threads
from convatlas.data.folder_scan import scan
from convatlas.data.load import load
from convatlas.data.names import FOLDER
from convatlas.data.split import SPLIT_SEED, split
from convatlas.errors import UserError
from convatlas.runtime.network import Network, random_pixels

Decoded = NDArray[np.uint8]  # (N, C, side, side)
Labels = NDArray[np.int64]

CALIBRATING = 300  # pictures; more move the ranges of activations hardly any further
JUDGED = 5000
JUDGED_BYTES = 200 << 20  # of decoded pictures: some 1,300 of 3x224x224
FEWEST = 10  # of each kind
HELD = 0.2  # of a training part, where no run says what it held out
DRAWN = "the network's weights are drawn, not trained"
SHARE = 3  # one picture in three of a small folder is for calibrating


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a run says of its data: how it was loaded, and which share of it was held out."""

    data: str
    checksums: Mapping[str, str]
    size: int | None
    validation: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Decoded pictures at the size of a preparation; not one is in both parts.

    ``labels``: of the judged ones, as the network counts its classes; ``None`` if they are not
    known, and ``unknown`` says why. ``by_number``: the network does not name its classes, and the
    data has as many; whether in the same order, nobody said. ``part``: where the judged pictures
    come from.
    """

    data: str
    part: str
    calibrating: Decoded
    judged: Decoded
    labels: Labels | None = None
    unknown: str = ""
    by_number: bool = False


def gather(data: str, network: Network, trained: Trained | None = None) -> Sample:
    """Pictures of a named set or ``folder:PATH`` (with a folder for each class, or with none).

    Of a run's own data, what the run held out for validation is judged by. Raises `UserError` for
    data that cannot be used, or a network that no picture can be prepared for.
    """
    if network.preparation is None:
        raise UserError(
            f"{network.name} takes {'x'.join(map(str, network.shape))}: pictures are prepared to "
            "squares of 1 or 3 channels, so there is nothing to calibrate int8 on"
        )
    own = trained is not None and data_name(data) == trained.data
    if data.startswith(FOLDER) and not own:
        return _of_folder(data, network)
    dataset = load(data, size=trained.size if own and trained and FOLDER in data else None)
    return _of_set(dataset, network, trained)


def data_name(data: str) -> str:
    """As a loaded set calls itself."""
    if not data.startswith(FOLDER):
        return data
    return f"{FOLDER}{Path(data.removeprefix(FOLDER)).expanduser().resolve()}"


def _shown(name: str) -> str:
    """As a card says it: a folder by its name, not where it lies."""
    return f"{FOLDER}{Path(name.removeprefix(FOLDER)).name}" if name.startswith(FOLDER) else name


def _of_set(dataset: Dataset, network: Network, trained: Trained | None) -> Sample:
    """From the training part of a set in memory."""
    kept, held, part = _divided(dataset, trained)
    channels = network.shape[0]
    kept, held = (
        with_channels(
            Dataset(dataset.name, dataset.classes, each, dataset.test, {}), channels
        ).train
        for each in (_some(kept, CALIBRATING), _some(held, most_judged(network)))
    )
    _check(dataset.name, len(kept.labels), len(held.labels))
    labels, unknown = _true(held.labels.numpy(), dataset.classes, network)
    return Sample(
        data=_shown(dataset.name),
        part=part,
        calibrating=_at_side(kept.images.numpy(), network),
        judged=_at_side(held.images.numpy(), network),
        labels=labels,
        unknown=unknown,
        by_number=not network.labels,
    )


def _divided(dataset: Dataset, trained: Trained | None) -> tuple[Pictures, Pictures, str]:
    """(to calibrate on, to judge by, what the latter are)."""
    same = trained is not None and dict(dataset.checksums) == dict(trained.checksums)
    if trained and same and trained.validation:
        return *split(dataset.train, trained.validation, trained.seed), "the run's validation part"
    part = "a fifth of its training part"
    if same:
        part += ", which the run was trained on"
    return *split(dataset.train, HELD), part


def _of_folder(data: str, network: Network) -> Sample:
    """A seeded choice of files; with class folders, of the training part alone."""
    folder = Path(data.removeprefix(FOLDER)).expanduser()
    classes: tuple[str, ...] = ()
    if flat := pictures_alone(folder):
        files, numbers, part = flat, None, "its other pictures"
    else:
        layout = scan(folder)
        files = [item.path for item in layout.train.items]
        numbers = np.array([item.label for item in layout.train.items])
        classes, part = layout.classes, "other pictures of its training part"
    order = np.random.default_rng(SPLIT_SEED).permutation(len(files))
    first = min(CALIBRATING, len(files) // SHARE)
    parts = order[:first], order[first:][: most_judged(network)]
    (calibrating, _), (judged, seen) = (_decoded(files, part, network) for part in parts)
    _check(data, len(calibrating), len(judged))
    if numbers is None:
        labels, unknown = None, "the pictures have no labels"
    else:
        labels, unknown = _true(numbers[seen], classes, network)
    return Sample(
        data=_shown(data_name(data)),
        part=part,
        calibrating=calibrating,
        judged=judged,
        labels=labels,
        unknown=unknown,
        by_number=not network.labels,
    )


def most_judged(network: Network) -> int:
    """How many pictures are judged by at most: a bound on memory, and on time."""
    assert network.preparation
    return min(JUDGED, JUDGED_BYTES // (network.shape[0] * network.preparation.side**2))


def _decoded(
    files: Sequence[Path], which: NDArray[np.intp], network: Network
) -> tuple[Decoded, NDArray[np.intp]]:
    """The pictures that can be read, and their numbers."""
    assert network.preparation
    side, channels = network.preparation.side, network.shape[0]

    def read(number: int) -> Decoded | None:
        try:
            return decode(files[number], channels=channels, size=side)
        except DecodeError:
            return None

    found = in_threads(read, which.tolist())
    good = [pixels for pixels in found if pixels is not None]
    kept = which[[pixels is not None for pixels in found]]
    return np.stack(good) if good else np.empty((0, channels, side, side), np.uint8), kept


def _some(pictures: Pictures, most: int) -> Pictures:
    """A seeded choice."""
    import torch

    order = np.random.default_rng(SPLIT_SEED).permutation(len(pictures.labels))[:most]
    chosen = torch.from_numpy(np.sort(order))
    return Pictures(pictures.images[chosen], pictures.labels[chosen])


def _at_side(images: Decoded, network: Network) -> Decoded:
    """Square pictures at the size that files are decoded at, by the filter files are resized by."""
    assert network.preparation
    side, (count, channels, height, width) = network.preparation.side, images.shape
    if height != width:
        raise UserError(f"pictures of {height}x{width} are no squares; give --int8 folder:PATH")
    if height == side:
        return images
    changed = np.empty((count, channels, side, side), np.uint8)
    for picture, into in zip(images, changed, strict=True):
        for plane, to in zip(picture, into, strict=True):
            to[:] = Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR)
    return changed


def _true(numbers: Labels, classes: Sequence[str], network: Network) -> tuple[Labels | None, str]:
    """Labels as the network counts its classes, or why there are none."""
    if network.source.get("weights", "").startswith("drawn"):
        return None, DRAWN
    scores = network.eager(random_pixels((1, *network.shape)))
    if scores.ndim != 2:
        return None, "the network does not classify whole pictures"
    if network.labels:
        places = {label: place for place, label in enumerate(network.labels)}
        if not set(classes) <= set(places):
            return None, "the classes of the data are not the network's"
        return np.array([places[name] for name in classes])[numbers], ""
    if len(classes) != scores.shape[1]:
        return None, f"the data has {len(classes)} classes, the network {scores.shape[1]}"
    return numbers, ""


def _check(data: str, calibrating: int, judged: int) -> None:
    if min(calibrating, judged) < FEWEST:
        raise UserError(
            f"{data} gives {calibrating} pictures to calibrate int8 on and {judged} others to "
            f"judge it by; at least {FEWEST} of each are needed, and some hundreds are better"
        )
