"""Bundles made ready once: ONNX Runtime's optimised graph and weights, kept in the cache.

    CACHE/engines/KEY/model.onnx    the graph as it is run on this processor
    CACHE/engines/KEY/weights.bin   its weights in their final order, which the engine maps
    CACHE/engines/KEY/whole.json    written last: the sizes and sums of the other two
    CACHE/engines/KEY/failed        alone there: the engine could not make them

Optimising ResNet-50 and rearranging its weights takes longer than classifying a picture with it,
and twice the memory. KEY stands for the bundle's file, its model's sum, the version of ONNX Runtime
and the processor, as the order of the weights is that processor's. Nothing here is an error: what
is missing, damaged or cannot be written means that the bundle itself is read.
"""

import contextlib
import errno
import json
import os
import platform
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convatlas.cache import cache_folder
from convatlas.files import give_rights
from convatlas.processor import processor
from convatlas.runtime.bundle import copy_model, read_card
from convatlas.runtime.extras import need
from convatlas.runtime.loaded import optimise

FORMAT = 1
MODEL, WEIGHTS, WHOLE, FAILED = "model.onnx", "weights.bin", "whole.json", "failed"
LEAST = 2**20  # bytes of a model; a smaller one is optimised in no time
MOST = 2**31  # bytes of all that is kept; what was used longest ago goes
STALE = 24 * 3600  # seconds after which an unfinished folder is abandoned, a failure tried again


@dataclass(frozen=True, slots=True)
class Ready:
    """A bundle's place in the cache."""

    folder: Path

    @property
    def model(self) -> Path:
        """What ONNX Runtime opens; the weights lie beside it."""
        return self.folder / MODEL


def find_ready(bundle: Path) -> Ready | None:
    """What is kept of a bundle, if it is there and whole; raises `UserError` for a bad bundle."""
    ready = _place(bundle)
    if ready is None:
        return None
    try:
        said = json.loads((ready.folder / WHOLE).read_bytes())
        if said != _seen(ready.folder):
            discard(ready)
            return None
        with contextlib.suppress(OSError):  # a cache that is read only
            os.utime(ready.folder / WHOLE)  # used just now
    except (OSError, ValueError):
        return None
    return ready


def keep_ready(bundle: Path) -> bool:
    """Make a bundle ready, unless it is; whether it is now. Takes as long as opening it did.

    A model that the engine cannot write in its optimised form is tried again after a day.
    """
    ready = _place(bundle)
    if ready is None or _failed_lately(ready):
        return False
    if find_ready(bundle):
        return True
    try:
        with _part(ready) as part:
            _write(bundle, part)
            kept = _put(part, ready, bundle)
        bound(ready.folder.parent)
    except OSError:  # no room, no right to write: it is but a cache
        return False
    except Exception:  # engines raise what they like
        _mark_failed(ready)
        return False
    return kept


def discard(ready: Ready) -> None:
    """Remove what is kept, if it can be; an engine that has it open goes on."""
    if ready.folder.exists():
        import shutil

        shutil.rmtree(ready.folder, ignore_errors=True)


def bound(folder: Path, most: int = MOST) -> None:
    """Remove what was used longest ago until ``most`` bytes are left, and what was abandoned."""
    total = 0
    for used, size, path in sorted(_entries(folder), reverse=True):
        total += size
        unfinished = path.name.startswith(".")
        if time.time() - used > STALE if unfinished else total > most:
            discard(Ready(path))


def _entries(folder: Path) -> list[tuple[float, int, Path]]:
    """When each was used, its bytes, and its folder."""
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process removes it
            files = [file.stat() for file in (path, *path.iterdir())]
            found.append((max(f.st_mtime for f in files), sum(f.st_size for f in files), path))
    return found


@contextlib.contextmanager
def _part(ready: Ready) -> Iterator[Path]:
    """A new folder beside the place, of this call alone; what is left in it is removed."""
    import tempfile  # as in `convatlas.files`: reading need not wait for it

    ready.folder.parent.mkdir(parents=True, exist_ok=True)
    made = tempfile.mkdtemp(".part", f".{ready.folder.name}.", ready.folder.parent)
    try:
        give_rights(Path(made))  # the cache may be shared
        yield Path(made)
    finally:
        discard(Ready(Path(made)))


def _put(part: Path, ready: Ready, bundle: Path) -> bool:
    """Rename a finished folder into its place; whether there is a whole one now.

    Where another call was quicker its folder stays, which may be open already; one that is damaged
    or has failed goes.
    """
    for _ in range(2):
        try:
            part.rename(ready.folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return True
        if find_ready(bundle):
            return True
        discard(ready)
    return False


def _failed_lately(ready: Ready) -> bool:
    try:
        return time.time() - (ready.folder / FAILED).stat().st_mtime < STALE
    except OSError:
        return False


def _mark_failed(ready: Ready) -> None:
    with contextlib.suppress(OSError):
        ready.folder.mkdir(parents=True, exist_ok=True)
        (ready.folder / FAILED).touch()


def _write(bundle: Path, part: Path) -> None:
    copied = part / "copied.onnx"  # from a file the engine needs half the memory
    copy_model(bundle, copied)
    optimise(copied, part / MODEL, WEIGHTS)
    copied.unlink()
    for file in part.iterdir():
        with file.open("rb+") as written:
            os.fsync(written.fileno())
    (part / WHOLE).write_text(json.dumps(_seen(part)))


def _seen(folder: Path) -> dict[str, list[int]]:
    """What the files are: sum and size of the graph; size and time of the weights.

    Summing up the weights would take as long as reading the bundle.
    """
    graph = (folder / MODEL).read_bytes()
    seen = {MODEL: [zlib.crc32(graph), len(graph)]}
    with contextlib.suppress(FileNotFoundError):  # all weights may be so small that there is none
        weights = (folder / WEIGHTS).stat()
        seen[WEIGHTS] = [weights.st_size, weights.st_mtime_ns]
    return seen


def _place(bundle: Path) -> Ready | None:
    """Where a bundle is kept; ``None`` for one that is too small or too large for it."""
    _, model = read_card(bundle)
    if not LEAST <= model.file_size <= MOST // 2:
        return None
    try:
        file = bundle.stat()
        parts = (model.CRC, model.file_size, file.st_size, file.st_mtime_ns, file.st_ino)
        key = "-".join(f"{part:x}" for part in (*parts, zlib.crc32(_machine().encode())))
        return Ready(cache_folder() / "engines" / key)
    except (OSError, RuntimeError):  # no home folder
        return None


def _machine() -> str:
    """What the kept weights are for: engine, system and processor."""
    here = processor()
    told = f"{platform.machine()} {here.name} {' '.join(sorted(here.instructions))}"
    return f"{FORMAT} {need('onnxruntime').__version__} {sys.platform} {told}"
