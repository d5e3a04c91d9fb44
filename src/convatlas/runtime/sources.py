"""Which files are meant: named, all pictures in a folder, by a pattern, or from a list.

Folders and patterns are read as they are needed, one folder at a time in the order of its names.
Hidden files are left out there, and so are files whose names are not those of pictures, which are
counted. Links to folders are not followed below a folder, nor by ``**``; the other parts of a
pattern lead through them, as in a shell. Files that are named are taken, whatever their names.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from convatlas.data.extensions import EXTENSIONS
from convatlas.errors import UserError

MAGIC = frozenset("*?[")
CHUNK = 65536
STDIN = "-"  # an argument: the files whose names come on standard input
Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be decoded, or something of which it is known that it cannot be."""

    path: Path
    problem: str | None = None


@dataclass(slots=True)
class PassedOver:
    """Counts the files that were left out, as their names are not those of pictures."""

    count: int = 0


def sources(
    arguments: Iterable[Path | str], passed: PassedOver, read: Read | None = None
) -> Iterator[Source]:
    """The files meant by each argument, in order; one that means none is a problem among them.

    ``read``: what `listed` takes, for the argument ``-``.
    """
    for argument in arguments:
        if argument == STDIN and read:
            yield from listed(read)
        elif os.path.isdir(argument):
            yield from _pictures(_below(str(argument)), argument, passed)
        elif _is_pattern(argument):
            yield from _pictures(_matching(*_split(argument)), argument, passed)
        else:
            yield Source(Path(argument))


def listed(read: Read) -> Iterator[Source]:
    """Files from a list of names, one a line, or separated by NUL, as ``find -print0`` writes.

    ``read`` gives what there is, up to a number of bytes, and nothing at the end. Each name is
    given out as soon as it is read. Raises `UserError` for an empty list.
    """
    rest, separator, none = b"", b"", True
    while chunk := read(CHUNK):
        rest += chunk
        if not separator:
            separator = b"\0" if b"\0" in rest else b"\n" if b"\n" in rest else b""
        if separator:
            *names, rest = rest.split(separator)
            for source in _names(names):
                none = False
                yield source
    for source in _names([rest]):
        none = False
        yield source
    if none:
        raise UserError("standard input names no files; write one a line")


def is_many(argument: Path | str) -> bool:
    """Whether an argument means as many files as there are: a folder or a pattern."""
    return os.path.isdir(argument) or _is_pattern(argument)


def _names(names: Iterable[bytes]) -> Iterator[Source]:
    for name in names:
        stripped = name.rstrip(b"\r\n")
        if stripped:
            yield Source(Path(os.fsdecode(stripped)))


def _is_pattern(argument: Path | str) -> bool:
    return bool(MAGIC & set(str(argument))) and not os.path.lexists(argument)


def _pictures(
    found: Iterable[Source], argument: Path | str, passed: PassedOver
) -> Iterator[Source]:
    """Those whose names are those of pictures; the others are counted."""
    none, others = True, 0
    for source in found:
        if source.problem or source.path.name.lower().endswith(EXTENSIONS):
            none = False
            yield source
        else:
            others += 1
            passed.count += 1
    if none:
        where = "in this folder" if os.path.isdir(argument) else "fits this pattern"
        but = f", {others} of other names" if others else ""
        problem = f"no picture {where}{but}; pictures are named {' '.join(EXTENSIONS)}"
        yield Source(Path(argument), problem)


def _below(folder: str) -> Iterator[Source]:
    """All visible files below a folder; iterative, as folders may be nested without end."""
    waiting = [iter(_listing(folder))]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif isinstance(entry, Source):
            yield entry
        else:
            waiting.append(iter(_listing(entry)))


def _listing(folder: str) -> list[Source | str]:
    """What is visible in a folder, by name: files, the paths of folders, or why it is closed."""
    try:
        with os.scandir(folder or ".") as entries:
            seen = sorted((each.name, each.is_dir(follow_symlinks=False)) for each in entries)
    except OSError as error:
        return [Source(Path(folder), f"cannot be read: {error.strerror}")]
    paths = ((os.path.join(folder, name), is_dir) for name, is_dir in seen if name[0] != ".")
    return [path if is_dir else Source(Path(path)) for path, is_dir in paths]


def _split(pattern: Path | str) -> tuple[str, tuple[str, ...]]:
    """Where a pattern starts, and its parts; ``**`` twice in a row is the same as once."""
    path = Path(pattern)
    parts = path.parts[1:] if path.is_absolute() else path.parts
    once = (
        part
        for part, before in zip(parts, ("", *parts), strict=False)
        if part != before or part != "**"
    )
    return path.anchor, tuple(once)


def _matching(start: str, parts: tuple[str, ...]) -> Iterator[Source]:
    """The files below ``start`` that the parts of a pattern lead to."""
    head, rest = parts[0], parts[1:]
    if head == "**":
        for folder in _folders(start):
            yield from _matching(folder, rest or ("*",))
    elif MAGIC & set(head):
        for entry in _listing(start):
            if isinstance(entry, Source) and entry.problem:
                yield entry
                continue
            path = str(entry.path) if isinstance(entry, Source) else entry
            if fnmatchcase(os.path.basename(path), head):
                yield from _led_to(path, rest)
    else:
        yield from _led_to(os.path.join(start, head), rest)


def _led_to(path: str, rest: tuple[str, ...]) -> Iterator[Source]:
    """A file at the end of a pattern, or what the rest of it finds in a folder."""
    if os.path.isdir(path):
        if rest:
            yield from _matching(path, rest)
    elif not rest and os.path.lexists(path):
        yield Source(Path(path))


def _folders(start: str) -> Iterator[str]:
    """A folder and all visible ones below it, each before those in it."""
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        yield folder
        waiting += [entry for entry in reversed(_listing(folder)) if isinstance(entry, str)]
