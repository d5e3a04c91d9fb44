"""Reading a file of weights: named tensors and nothing that runs."""

import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from convatlas.checkpoints.file_names import SAFE, check_weights
from convatlas.errors import UserError, one_line

INSIDE = ("state_dict", "model")  # where training scripts put the weights
WRAPPERS = ("module.", "_orig_mod.")  # what data parallelism and torch.compile put before a key


@dataclass(frozen=True, slots=True)
class WeightFile:
    """Named tensors in the order of the file, and the strings in its header."""

    path: Path
    tensors: dict[str, Tensor]
    strings: dict[str, str]


def read_weights(path: Path) -> WeightFile:
    """The file's tensors on the CPU; raises `UserError` for whatever is no file of weights."""
    check_weights(path)
    try:
        if path.suffix == SAFE:
            return _safe(path)
        return WeightFile(path, _weights(path, _unpickled(path)), {})
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def _safe(path: Path) -> WeightFile:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            strings = dict(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.offset_keys()}
    except (SafetensorError, RuntimeError, ValueError, TypeError) as error:
        raise _damaged(path, error) from None
    return WeightFile(path, _unwrapped(tensors), strings)


def _unpickled(path: Path) -> object:
    """What torch reads of a pickle that may hold tensors and plain containers only."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if named is None:
            raise _damaged(path, "it holds no tensors that can be read safely") from None
        raise UserError(
            f"{path} holds more than tensors ({named[1]}), and nothing of it was run; have it "
            "written again with torch.save(model.state_dict(), …)"
        ) from None
    except Exception as error:  # damaged bytes make the unpickler raise almost anything
        raise _damaged(path, error) from None


def _weights(path: Path, content: object) -> dict[str, Tensor]:
    """The named tensors, out of what a training script wraps them in."""
    for _ in INSIDE:
        if isinstance(content, Mapping):
            content = next((content[k] for k in INSIDE if _is_mapping(content.get(k))), content)
    if not isinstance(content, Mapping) or not content:
        found = "nothing" if content == {} else type(content).__name__
        raise UserError(f"{path} is no file of weights: expected named tensors, found {found}")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise UserError(
                f"{path} is no file of weights: expected named tensors, found "
                f"{type(value).__name__} at {key!r}"
            )
    return _unwrapped({key: value.detach() for key, value in content.items()})


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without what wrappers put before every key."""
    for prefix in (*WRAPPERS, *WRAPPERS):
        if tensors and all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors


def _damaged(path: Path, reason: Exception | str) -> UserError:
    said = one_line(reason)
    return UserError(f"{path} is damaged or no file of weights: {said}; restore it from a copy")
