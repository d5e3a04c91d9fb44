"""Tensors and a few strings in one safetensors file: nothing in it is ever executed."""

from pathlib import Path

import msgspec
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from convatlas.errors import UserError
from convatlas.files import write_atomically


def write_tensors(path: Path, tensors: dict[str, Tensor], strings: dict[str, str]) -> None:
    """Write atomically; tensors may lie on any device and in any layout."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomically(path, save(plain, strings))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors on the CPU, and the strings; `UserError` if the file is missing or damaged."""
    try:
        blob = path.read_bytes()
        tensors = load(blob)
        size = int.from_bytes(blob[:8], "little")  # the format: length, JSON header, tensors
        strings: dict[str, str] = msgspec.json.decode(blob[8 : 8 + size])["__metadata__"]
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (SafetensorError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise damaged(path, error) from None
    return tensors, strings


def damaged(path: Path, reason: object) -> UserError:
    """The error for a file whose content is not what was written."""
    return UserError(f"{path} is damaged: {reason}; restore it from a copy or train again")
