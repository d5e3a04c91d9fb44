"""What the formats and their files are called; imports no torch."""

import os
import re
from pathlib import Path

from convatlas.errors import UserError, argued
from convatlas.nearest import closest

SUFFIXES = {
    "bundle": ".convatlas",
    "onnx": ".onnx",
    "openvino": ".xml",
    "torchscript": ".pt",
    "safetensors": ".safetensors",
    "exported-program": ".pt2",
}
USUAL = "bundle"
VERSION = re.compile(r"\.v?\d")  # what ends a name like net.v2 or net-0.25 is no suffix
# the formats that can hold int8, and whose quantiser makes what they hold
INT8 = {"bundle": "onnxruntime", "onnx": "onnxruntime", "openvino": "nncf"}


def format_of(to: str | None, path: Path | None) -> str:
    """The format that is asked for, else that of the file's suffix, else, without one, a bundle.

    Raises `UserError` for an unknown one, or if the file has the suffix of another one.
    """
    if to is not None and to not in SUFFIXES:
        raise UserError(
            f"unknown format {to!r}{closest(to, tuple(SUFFIXES))}; known: {', '.join(SUFFIXES)}"
        )
    suffix = path.suffix if path else ""
    said = next((name for name, each in SUFFIXES.items() if each == suffix), None)
    if path and to is None and said is None and suffix and not VERSION.match(suffix):
        raise argued(
            f"{path}: no format has the suffix {suffix}; known: {', '.join(SUFFIXES.values())}; "
            "leave it out for a bundle, or say which with ",
            ("to", "--to"),
        )
    if to is None or said in (to, None):
        return to or said or USUAL
    raise argued(
        f"{path} is named like {said}, and {to} is asked for; leave ",
        (f"{to!r}", f"--to {to}"),
        f" out, or name it {SUFFIXES[to]}",
    )


def with_suffix(path: Path, suffix: str) -> Path:
    """The path with a suffix put on it, unless it has it; other dots in a name are left alone."""
    return path if path.name.endswith(suffix) else path.parent / (path.name + suffix)


def target(path: Path, to: str) -> Path:
    """The file that is written, in a format's suffix; `UserError` if there cannot be one."""
    found = with_suffix(path, SUFFIXES[to])
    if os.path.isdir(path) or os.path.isdir(found):
        raise argued(f"{path} is a folder; give ", ("out", "--out"), " the name of a file to write")
    if not os.path.isdir(found.parent):
        raise UserError(f"there is no folder {found.parent} to write {found.name} into; make it")
    return found


def check_int8(to: str) -> None:
    """Raise `UserError` for a format that cannot hold int8."""
    if to not in INT8:
        raise UserError(f"{to} is written as float32 alone; int8 goes with --to {', '.join(INT8)}")
