"""Where things that can be made again are kept between calls; no heavy imports."""

import os
import sys
from pathlib import Path

VARIABLE = "CONVATLAS_CACHE"


def cache_folder() -> Path:
    """The folder ``CONVATLAS_CACHE`` names, or else the user's cache as the system has it.

    It may not exist yet. Without the variable: ``~/.cache/convatlas`` (or in
    ``XDG_CACHE_HOME``), ``~/Library/Caches/convatlas``, or ``AppData/Local/convatlas/.../Cache``.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        return Path(root) / "convatlas" / "convatlas" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "convatlas"
    root = os.environ.get("XDG_CACHE_HOME", "").strip()
    return Path(root).expanduser() / "convatlas" if root else Path.home() / ".cache" / "convatlas"
