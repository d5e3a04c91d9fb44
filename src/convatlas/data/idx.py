"""The idx format of MNIST, packed with gzip or not. Never imports torch: see ``read_idx``.

Two zero bytes, a type byte, the number of dimensions, each dimension as a big-endian 32-bit
integer, then the values. Only unsigned bytes (type 8) are read: the sets we know have no other.
"""

import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convatlas.errors import UserError

GZIP_MAGIC = b"\x1f\x8b"
PIECE = 1 << 16  # packed bytes per step: what comes out still fits a core's cache
MOST_EXPANSION = 1032  # no deflate stream grows by more than this


def read_idx(path: Path, *, sha256: str | None = None) -> NDArray[np.uint8]:
    """Read one file into a writable array, off the interpreter lock for nearly all of its time.

    Start it in a thread before importing torch and the reading costs nothing. ``sha256`` is what
    the file as stored must hash to.
    """
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if sha256 is not None and (got := hashlib.sha256(blob).hexdigest()) != sha256:
        raise UserError(
            f"{path} is damaged or not the published file: its SHA-256 is {got}, "
            f"expected {sha256}; replace it with a fresh copy"
        )
    return _unpack(blob, path) if blob.startswith(GZIP_MAGIC) else _parse(blob, path)


def _parse(blob: bytes, path: Path) -> NDArray[np.uint8]:
    """The values of an idx file that is not packed."""
    shape, start = _header(blob, path)
    if len(blob) - start != math.prod(shape):
        raise _misfit(path, shape, len(blob) - start)
    return np.frombuffer(blob, np.uint8, offset=start).reshape(shape).copy()


def _unpack(blob: bytes, path: Path) -> NDArray[np.uint8]:
    """Inflate piece by piece straight into the array; zlib checks length and CRC at the end."""
    unpacker = zlib.decompressobj(wbits=31)
    packed = memoryview(blob)
    try:
        head = unpacker.decompress(packed[:PIECE])
        shape, start = _header(head, path)
        size = math.prod(shape)
        if size > len(blob) * MOST_EXPANSION:
            raise _misfit(path, shape, None)
        values = np.empty(size, np.uint8)
        at = _put(values, head[start:], at=0)
        for step in range(PIECE, len(packed), PIECE):
            at = _put(values, unpacker.decompress(packed[step : step + PIECE]), at=at)
    except zlib.error as error:
        raise UserError(f"{path} is damaged: {error}; replace it with a fresh copy") from error
    if not unpacker.eof or unpacker.unused_data or at != size:
        raise _misfit(path, shape, at)
    return values.reshape(shape)


def _put(values: NDArray[np.uint8], piece: bytes, *, at: int) -> int:
    """Copy what still fits, and return how many bytes there were in all."""
    fits = min(len(piece), max(0, len(values) - at))
    values[at : at + fits] = np.frombuffer(piece, np.uint8, count=fits)
    return at + len(piece)


def _header(head: bytes, path: Path) -> tuple[tuple[int, ...], int]:
    """The shape, and where the values begin."""
    if len(head) < 4 or head[:3] != b"\0\0\x08" or head[3] == 0:
        raise UserError(
            f"{path} is not an idx file of unsigned bytes: it begins with "
            f"{head[:4].hex() or 'nothing'}, expected 000008 and a number of dimensions"
        )
    start = 4 + 4 * head[3]
    if len(head) < start:
        raise UserError(f"{path} is cut off inside its header; replace it with a fresh copy")
    return struct.unpack(f">{head[3]}I", head[4:start]), start


def _misfit(path: Path, shape: tuple[int, ...], got: int | None) -> UserError:
    """The header and the values disagree."""
    holds = "fewer" if got is None else str(got)
    return UserError(
        f"{path} is damaged: its header promises {math.prod(shape)} values "
        f"({' x '.join(map(str, shape))}), it holds {holds}; replace it with a fresh copy"
    )
