"""The papers of the ledger that is shipped in the package."""

from functools import cache
from pathlib import Path

from convatlas.claims.claim import Paper
from convatlas.claims.read import read_paper
from convatlas.errors import UserError
from convatlas.nearest import closest

FOLDER = Path(__file__).parent


@cache
def names() -> tuple[str, ...]:
    """Every paper, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def paper(name: str) -> Paper:
    """One paper; raises `UserError` with the nearest name."""
    if name not in names():
        known = ", ".join(names())
        raise UserError(f"the ledger has no paper {name!r}{closest(name, names())} ({known})")
    return read_paper(FOLDER / f"{name}.toml")


def papers() -> tuple[Paper, ...]:
    """All of them."""
    return tuple(map(paper, names()))
