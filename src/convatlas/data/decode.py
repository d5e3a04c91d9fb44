"""One picture file to 8-bit grey or RGB, decoded right or refused with a reason.

Transparency is laid on white; 16-bit grey is scaled to 8 bits; EXIF rotation is applied; of an
animation the first frame counts; CMYK is converted by formula. Colour profiles are not applied.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from convatlas.data.jpeg_scans import MOST_SCANS, too_many_scans
from convatlas.errors import one_line

MOST_PIXELS = 64_000_000
WIDE = ("I;16", "I;16L", "I;16B", "I;16N")
GREY = ("1", "L", "LA", "La", *WIDE)
COLOUR = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK")
ORIENTATION = 0x0112  # the EXIF tag; from 5 on, width and height change places
WHITE = (255, 255, 255, 255)
# What Pillow raises for broken files, tried with a million of them; it documents no list.
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    Image.DecompressionBombError,
)


class DecodeError(ValueError):
    """A file that is no picture we can use; the reason names no file, the caller knows it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLarge(DecodeError):
    """A picture of more pixels than are taken, by its header; the rest was not looked at."""


@dataclass(frozen=True, slots=True)
class Peek:
    """What a picture's header says, with its rotation applied."""

    width: int
    height: int
    grey: bool


def decode(
    source: Path | bytes, *, channels: int, size: int | None = None, most: int = MOST_PIXELS
) -> NDArray[np.uint8]:  # (C, H, W)
    """One picture in grey (1) or RGB (3); with ``size``, its centre square at that side.

    Raises `DecodeError` for what is no picture, `TooLarge` for one of more than ``most`` pixels,
    and `MemoryError`, which is not the file's fault.
    """
    assert channels in (1, 3), channels
    with _refusing(), _file(source) as file:
        image = _header(file, most)
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            _bound_scans(file)
        image.load()
        image = _flat(ImageOps.exif_transpose(image))
        image = image.convert("L" if channels == 1 else "RGB")
        if size is not None:
            image = _centre_square(image, size)
        pixels = np.array(image)  # a copy: Pillow's own memory is read-only
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def peek(source: Path | bytes) -> Peek:
    """Size and kind from the header alone; the pixels may still turn out broken."""
    with _refusing(), _file(source) as file:
        image = _header(file, MOST_PIXELS)
        width, height = image.size
        turned = _orientation(image) in range(5, 9)
        grey = image.mode in GREY or _grey_palette(image)
    return Peek(height, width, grey) if turned else Peek(width, height, grey)


def why_closed(path: Path) -> str | None:
    """Why a file cannot even be opened; ``None`` if it can."""
    try:
        with _refusing(), _file(path):
            return None
    except DecodeError as error:
        return error.reason


@contextmanager
def _refusing() -> Iterator[None]:
    """A failure as a DecodeError; one of a kind that broken files do not raise is also logged."""
    try:
        yield
    except (DecodeError, MemoryError):
        raise
    except Exception as error:
        message = one_line(error)
        if message.startswith("out of memory"):  # how Pillow's own decoders say it
            raise MemoryError(message) from error
        if not isinstance(error, BROKEN):
            _log(error)
        raise DecodeError(f"broken or cut off: {message}") from error


def _log(error: Exception) -> None:
    import logging  # late, as the start of `convatlas predict` does without it

    logging.getLogger(__name__).warning("a picture raised what none should", exc_info=error)


def _orientation(image: Image.Image) -> object:
    """What EXIF says of the rotation, which in a broken file can be anything."""
    # Not getexif() outright: a PNG without EXIF up front would be decoded to look for it.
    return image.getexif().get(ORIENTATION) if "exif" in image.info else None


def _file(source: Path | bytes) -> BinaryIO:
    """The bytes as a file; what cannot be opened has its own reason."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if source.exists() and not source.is_file():  # reading a pipe would wait for ever
        raise DecodeError("not a regular file")
    try:
        return source.open("rb")
    except OSError as error:
        raise DecodeError(f"cannot be read: {error.strerror}") from error


def _header(file: BinaryIO, most: int) -> Image.Image:
    """The picture before its pixels, or the reason not to decode them."""
    image = _plugin(file)(file, "")
    width, height = image.size
    if width * height > most:
        taken = f"{most // 10**6} million" if most % 10**6 == 0 else f"{most}"
        raise TooLarge(f"{width} x {height} is more than {taken} pixels")
    if image.mode not in GREY + COLOUR:
        raise DecodeError(f"colour mode {image.mode} is not supported")
    return image


def _bound_scans(file: BinaryIO) -> None:
    """Refuse a JPEG that few pixels and bytes would make a day's work of."""
    before = file.tell()
    file.seek(0)
    many = too_many_scans(file.read())
    file.seek(before)
    if many:
        raise DecodeError(f"a JPEG of more than {MOST_SCANS} scans; save it again with fewer")


def _plugin(file: BinaryIO) -> Callable[[BinaryIO, str], Image.Image]:
    """The reader whose signature fits. Image.open would warn of large pictures we refuse anyway."""
    blob = file.read(12)
    file.seek(0)
    if not blob:
        raise DecodeError("the file is empty")
    if blob.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.jpeg_factory
    if blob.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile
    if blob.startswith(b"RIFF") and blob[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if blob.startswith(b"BM"):
        return BmpImagePlugin.BmpImageFile
    raise DecodeError("not a JPEG, PNG, WebP or BMP picture")


def _flat(image: Image.Image) -> Image.Image:
    """Eight bits and no transparency, in mode L or RGB."""
    if image.mode in WIDE:
        return _narrow(image)
    grey = image.mode in GREY
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, WHITE)
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("L" if grey else "RGB")


def _narrow(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits, rounded; Pillow's own conversion would clip at 255."""
    wide = np.asarray(image).astype(np.uint32)
    narrow = ((wide * 255 + 32767) // 65535).astype(np.uint8)
    if "transparency" in image.info:
        narrow[wide == image.info["transparency"]] = 255
    return Image.fromarray(narrow)


def _grey_palette(image: Image.Image) -> bool:
    """Whether every colour of a palette picture is a grey."""
    if image.palette is None or image.palette.mode != "RGB":
        return False
    colours = bytes(image.palette.palette)
    return colours[0::3] == colours[1::3] == colours[2::3]


def _centre_square(image: Image.Image, size: int) -> Image.Image:
    """The shorter side to ``size``, antialiased, and the middle of the longer one.

    Done in one step, as a very long picture resized whole could outgrow memory; Pillow's filter
    looks past the box, so the result is that of resizing the whole and then cutting.
    """
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)
