"""Tensors and a few strings in one safetensors file: nothing in it is ever executed."""

import hashlib
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from convatlas.errors import UserError, one_line
from convatlas.files import write_atomically

CHECKSUM = "sha256 of the tensors"


def write_tensors(path: Path, tensors: dict[str, Tensor], strings: dict[str, str]) -> None:
    """Write atomically, with a checksum; tensors may lie on any device and in any layout."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomically(path, save(plain, {**strings, CHECKSUM: digest(plain)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors on the CPU, and the strings; `UserError` if the file is missing or damaged."""
    try:
        blob = path.read_bytes()
        tensors = load(blob)
        size = int.from_bytes(blob[:8], "little")  # the format: length, JSON header, tensors
        strings: dict[str, str] = msgspec.json.decode(blob[8 : 8 + size])["__metadata__"]
        checksum = strings.pop(CHECKSUM)
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (SafetensorError, msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from None
    if digest(tensors) != checksum:
        raise damaged(path, "its tensors do not have the checksum in its header")
    return tensors, strings


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names and bytes, in the order of the names; tensors on the CPU."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def damaged(path: Path, reason: Exception | str) -> UserError:
    """The error for a file whose content is not what was written; one line."""
    said = one_line(reason)
    return UserError(f"{path} is damaged: {said}; restore it from a copy or train again")
