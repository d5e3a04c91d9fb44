"""Files that are there to be read; and writing so that nothing half-written is left behind."""

import contextlib
import errno
import os
import stat
from pathlib import Path

from convatlas.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
STATUS = Path("/proc/self/status")


def check_readable(path: Path) -> None:
    """Raise `UserError` for a file that is missing, is a folder, or may not be read.

    Of a pipe nothing is read, as nothing would be left in it.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError(f"{path} is a folder; give the file in it")
        if stat.S_ISREG(mode):
            path.open("rb").close()
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write beside ``path``, then rename: readers see the old file or the new one, never a part.

    Raises `UserError` (a full disk, say) with the unfinished file removed.
    """
    blob = content.encode() if isinstance(content, str) else content
    try:
        _write_beside(path, blob)
    except OSError as error:
        out = f"{room(error)}choose another folder"
        raise UserError(f"cannot write {path}: {error.strerror}; {out}") from None


def room(error: BaseException) -> str:
    """``make room or``, where the disk is full or the file too large for it; else nothing."""
    return "make room or " if getattr(error, "errno", None) in FULL else ""


def make_folder(path: Path) -> Path | None:
    """Create a folder with its parents; returns the outermost one made, for `remove_folder`.

    Raises `UserError` if it already holds something, or cannot be created.
    """
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        _check_empty(path)
    except OSError as error:
        raise UserError(f"cannot create the folder {path}: {error.strerror}") from None
    return missing[-1] if missing else None


def check_new(path: Path) -> None:
    """Raise the `UserError` of `make_folder`, as far as it can be told without making anything."""
    try:
        if path.exists():
            _check_empty(path)
    except OSError as error:
        raise UserError(f"cannot create the folder {path}: {error.strerror}") from None


def _check_empty(path: Path) -> None:
    if any(path.iterdir()):
        raise UserError(f"{path} already holds files; choose another --out, or remove it")


def remove_folder(path: Path, made: Path | None) -> None:
    """Undo `make_folder` with all that was written since; a folder that was there is emptied."""
    import shutil

    shutil.rmtree(made or path, ignore_errors=True)
    if made is None:
        path.mkdir(exist_ok=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_beside(path: Path, blob: bytes) -> None:
    import tempfile  # random numbers and hashes come with it, which reading need not wait for

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        give_rights(Path(name))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def give_rights(path: Path) -> None:
    """Those of any new file or folder, to one that was made for its owner alone."""
    os.chmod(path, (0o777 if path.is_dir() else 0o666) & ~umask())


def umask() -> int:
    """The process's umask: the rights that new files do not get.

    Linux says it. Elsewhere it can only be read by setting it, for the moment of which another
    thread's new file would get all rights.
    """
    with contextlib.suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0)
    os.umask(mask)
    return mask
