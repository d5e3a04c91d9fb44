"""Whether there is what is named, as far as can be said at once; imports no torch."""

import os
from pathlib import Path

from convatlas import atlas
from convatlas.errors import UserError
from convatlas.training.folder import check_run
from convatlas.workbench.place import check_place


def check_named(what: str) -> None:
    """Refuse what is neither a run, nor ``package.module:name``, nor a built-in network."""
    if os.path.isdir(what):
        check_run(Path(what))
        return
    if ":" in what:
        check_place(what)
        return
    if "/" in what:
        raise UserError(
            f"there is no run folder {what}; give one, a network of `convatlas list`, or "
            "package.module:name"
        )
    try:
        atlas.entry(what)
    except UserError:
        module = what.removesuffix(".py")
        if not _is_module(module):
            raise
        raise UserError(f"{what} is a module; name the network in it: {module}:NAME") from None


def _is_module(name: str) -> bool:
    """Whether the working directory has it; nothing is imported."""
    place = Path(*name.split("."))
    files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return any(map(os.path.isfile, files))
