"""What files of weights are called, and whether one is there; imports no torch."""

from pathlib import Path

from convatlas.errors import UserError
from convatlas.files import check_readable

PICKLED, SAFE = (".pth", ".pt"), ".safetensors"


def check_weights(path: Path) -> None:
    """Raise `UserError` for what is no file of weights by its name, or cannot be read."""
    if path.suffix not in (*PICKLED, SAFE):
        kinds = ", ".join((*PICKLED, SAFE))
        raise UserError(f"{path} is not a file of weights by its name; expected one of {kinds}")
    check_readable(path)
