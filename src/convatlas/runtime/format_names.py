"""What the formats and their files are called; imports no torch."""

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


def format_of(to: str | None, path: Path | None) -> str:
    """The format that is asked for, else that of the file's suffix, else a bundle.

    Raises `UserError` for an unknown one, or if the file has the suffix of another one.
    """
    if to is not None and to not in SUFFIXES:
        raise UserError(
            f"unknown format {to!r}{closest(to, tuple(SUFFIXES))}; known: {', '.join(SUFFIXES)}"
        )
    suffix = path.suffix if path else ""
    said = next((name for name, each in SUFFIXES.items() if each == suffix), None)
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
