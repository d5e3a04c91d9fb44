"""Where the files of a published set lie; fetches them into the cache if they lie nowhere."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convatlas.cache import cache_folder
from convatlas.errors import UserError

VARIABLE = "CONVATLAS_DATA"


@dataclass(frozen=True, slots=True)
class Source:
    """A set as its authors publish it."""

    name: str
    base: str  # every file's URL up to its name
    sha256: Mapping[str, str]  # file name -> checksum of the file as published
    system: Path | None = None  # where a distribution's package puts the same files


def locate(source: Source) -> Path:
    """The first folder that has all files: ours by variable, the cache, the system; else download.

    Looks at names only. What the files hold is checked by whoever reads them.
    """
    place = at_hand(source)
    if place is not None:
        return place
    from convatlas.data.download import download

    cache = cache_folder() / source.name
    for name, sha256 in source.sha256.items():
        if not (cache / name).is_file():
            download(source.base + name, cache / name, sha256=sha256)
    return cache


def at_hand(source: Source) -> Path | None:
    """The first folder of this machine that has all files, if there is one."""
    places = (*_named_by_user(source.name), cache_folder() / source.name, source.system)
    for place in places:
        if place is not None and all((place / name).is_file() for name in source.sha256):
            return place
    return None


def _named_by_user(name: str) -> tuple[Path, ...]:
    """The folders the environment variable stands for."""
    value = os.environ.get(VARIABLE)
    if not value:
        return ()
    root = Path(value).expanduser()
    if not root.is_dir():
        raise UserError(f"{VARIABLE} is {value!r}, which is no folder; create it or unset it")
    return root / name, root
