"""Whether there is what is named, as far as can be said at once; imports no torch."""

from pathlib import Path

from convatlas import atlas
from convatlas.errors import UserError


def check_named(what: str) -> None:
    """Refuse what is neither a folder, nor ``package.module:name``, nor a built-in network."""
    if Path(what).is_dir() or ":" in what:
        return
    if "/" in what:
        raise UserError(
            f"there is no run folder {what}; give one, a network of `convatlas list`, or "
            "package.module:name"
        )
    atlas.entry(what)
