"""Where a network of one's own stands, ``package.module:name``; imports neither it nor torch."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convatlas.errors import UserError

FORM = "write package.module:name, where name is a network, its class, or a function that makes it"


def parts_of(place: str) -> tuple[str, list[str]]:
    """The module's name, and the names in it that lead to the network; raises `UserError`."""
    module, _, name = place.partition(":")
    parts = name.split(".")
    if not all(part.isidentifier() for part in (*module.split("."), *parts)):
        raise UserError(f"{place!r} is no place of a network; {FORM}")
    return module, parts


def check_place(place: str) -> None:
    """Refuse what is written in another way, or whose package is not to be found.

    What is further in can only be told by importing the package, which may do anything.
    """
    module, _ = parts_of(place)
    package = module.partition(".")[0]
    with here():
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise no_module(module)


def no_module(name: str) -> UserError:
    """For a module that is not to be found."""
    return UserError(f"there is no module {name!r} that can be imported from {Path.cwd()}; {FORM}")


@contextmanager
def here() -> Iterator[None]:
    """The working directory searched first."""
    path = str(Path.cwd())
    sys.path.insert(0, path)
    try:
        yield
    finally:
        if path in sys.path:
            sys.path.remove(path)
