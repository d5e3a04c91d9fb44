"""A bundle: a network with all that is needed to classify pictures, in one file without torch.

model.onnx   input ``pixels`` (N, C, H, W), output ``scores`` (N, classes, ...)
card.json    which network, how pictures are prepared, the labels, and how the export was checked

The file is a ZIP archive whose members are stored as they are; any language can read it. If the
preparation is fused, ``pixels`` is uint8; otherwise float32, as `prepare` makes it. Reading one
imports neither torch nor an engine.
"""

import contextlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from convatlas.errors import UserError, one_line
from convatlas.files import write_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Prepare = Callable[[NDArray[np.uint8]], NDArray[np.float32] | NDArray[np.uint8]]

BUNDLE_FORMAT = 1
MODEL, CARD = "model.onnx", "card.json"
SUFFIX = ".convatlas"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """An array of a preparation, (C, 1, 1) or (C, H, W), flat in row order."""

    shape: tuple[int, int, int]
    values: tuple[float, ...]


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """From a decoded picture to the input: centre crop, frame of zeros, (p / 255 - mean) / dev.

    ``side`` is the size that pictures are decoded at (shorter side, centre square).
    """

    side: int
    crop: int | None = None
    pad: int = 0
    mean: Figures
    deviation: Figures


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The exported file against torch eager: on what, and the largest relative error found."""

    inputs: str
    error: float
    agreement: float  # share of inputs with the same best class


class Quantised(msgspec.Struct, frozen=True, kw_only=True):
    """Int8 against the float32 network, on real pictures it was not calibrated on; all shares.

    ``accuracy`` of int8, ``original`` of float32, ``drop`` from the latter to the former with its
    95 % interval: ``None`` where the pictures' classes are not known, and ``unknown`` says why.
    """

    method: str  # "onnxruntime" or "nncf"
    weight_bits: int
    data: str
    calibrated: int  # pictures
    judged: int
    part: str  # where those judged come from
    agreement: float  # with the best class of float32
    error: float  # mean over pictures, relative
    accuracy: float | None = None
    original: float | None = None
    drop: float | None = None
    interval: tuple[float, float] | None = None
    unknown: str = ""
    layers: int  # with weights
    float_layers: tuple[str, ...] = ()  # those left in float32


class BundleCard(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in ``card.json``. ``None`` in ``input`` is any size; the batch comes first."""

    format: int = BUNDLE_FORMAT
    network: str
    input: tuple[int | None, int, int | None, int | None]
    preparation: Preparation | None = None
    fused: bool = False  # the preparation, crop excepted, is part of the model
    labels: tuple[str, ...] = ()
    precision: str = "fp32"
    quantised: Quantised | None = None
    opset: int
    compared: tuple[Compared, ...] = ()
    versions: dict[str, str] = {}
    source: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory."""

    card: BundleCard
    model: bytes


def write_bundle(path: Path, bundle: Bundle) -> None:
    """Write both members into one file, or nothing."""
    write_atomically(path, packed(bundle))


def packed(bundle: Bundle) -> bytes:
    """Both members as one file."""
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(CARD), card_json(bundle.card))
        archive.writestr(zipfile.ZipInfo(MODEL), bundle.model)
    return blob.getvalue()


def read_bundle(path: Path) -> Bundle:
    """Read one back; `UserError` if it is none, is damaged, or of another format."""
    with _archive(path) as archive:  # checks the sums of what it reads
        return Bundle(_card(path, archive.read(CARD)), archive.read(MODEL))


def read_card(path: Path) -> tuple[BundleCard, zipfile.ZipInfo]:
    """The card alone, and what the archive says of the model; `UserError` as `read_bundle`."""
    with _archive(path) as archive:
        return _card(path, archive.read(CARD)), archive.getinfo(MODEL)


def copy_model(path: Path, to: Path) -> None:
    """The model as a file of its own, never whole in memory; `UserError` as `read_bundle`."""
    with _archive(path) as archive, archive.open(MODEL) as member, to.open("wb") as file:
        while part := member.read(2**20):
            file.write(part)


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The file as an archive; whatever is wrong with it or with what is read, as one line."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; `convatlas export` makes one") from None
    except OSError as error:
        said = error.strerror or "its place in the file is damaged"
        raise UserError(f"cannot read {path}: {said}") from None
    except KeyError:
        raise UserError(f"{path} is no bundle: it lacks {CARD} or {MODEL}") from None
    # a damaged archive may seem to be encrypted, or packed by a method that there is not
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as error:
        out = "export it again" if path.suffix == SUFFIX else "`convatlas export` makes one"
        raise UserError(f"{path} is no bundle, or damaged: {error}; {out}") from None


def card_json(card: BundleCard) -> str:
    """The card as text."""
    return msgspec.json.encode(card).decode()


def prepare(
    card: BundleCard, pictures: "NDArray[np.uint8]"
) -> "NDArray[np.float32] | NDArray[np.uint8]":
    """What the model reads, from decoded pictures (N, C, side, side).

    A fused model reads uint8, so only the crop is done here.
    """
    return preparer(card)(pictures)


def preparer(card: BundleCard) -> "Prepare":
    """`prepare` as a function, for many calls: the figures of the card are read here, once."""
    import numpy as np

    how = card.preparation
    if how is None:
        raise UserError(f"the bundle of {card.network} does not say how pictures are prepared")
    if card.fused:
        return lambda pictures: np.ascontiguousarray(crop(how, pictures))
    scale, offset = _factors(how)
    return lambda pictures: _scaled(how, crop(how, pictures), scale, offset)


def crop(how: Preparation, pictures: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """The middle of pictures (N, C, H, W), where the preparation takes less than all."""
    if how.crop is None:
        return pictures
    top, left = ((size - how.crop) // 2 for size in pictures.shape[2:])
    return pictures[..., top : top + how.crop, left : left + how.crop]


def normalise(how: Preparation, cropped: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """Frame of zeros, then (p / 255 - mean) / deviation as one multiply-add."""
    return _scaled(how, cropped, *_factors(how))


def _factors(how: Preparation) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """What a pixel is multiplied by, and what is then taken away."""
    import numpy as np

    mean, deviation = array(how.mean), array(how.deviation)
    return np.reciprocal(255 * deviation), mean / deviation


def _scaled(
    how: Preparation,
    cropped: "NDArray[np.uint8]",
    scale: "NDArray[np.float32]",
    offset: "NDArray[np.float32]",
) -> "NDArray[np.float32]":
    import numpy as np

    if how.pad:
        frame = (how.pad, how.pad)
        cropped = np.pad(cropped, ((0, 0), (0, 0), frame, frame))
    return cropped.astype(np.float32) * scale - offset


def array(figures: Figures) -> "NDArray[np.float32]":
    """The figures as an array."""
    import numpy as np

    return np.array(figures.values, np.float32).reshape(figures.shape)


def figures(values: "NDArray[np.float32]") -> Figures:
    """An array (C, 1, 1) or (C, H, W) as it stands on a card."""
    channels, height, width = values.shape
    return Figures(shape=(channels, height, width), values=tuple(values.ravel().tolist()))


def _card(path: Path, text: bytes) -> BundleCard:
    try:
        found = json.loads(text)["format"]
        if found != BUNDLE_FORMAT:
            raise UserError(
                f"{path} has bundle format {found}, this ConvAtlas reads {BUNDLE_FORMAT}; "
                "export it again"
            )
        return msgspec.json.decode(text, type=BundleCard)
    except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"the card in {path} is damaged: {one_line(error)}; export it again"
        ) from None
