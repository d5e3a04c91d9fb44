"""What the engines are called; imports no torch, so that a slip is answered at once."""

from collections.abc import Sequence

from convatlas.errors import UserError
from convatlas.nearest import closest

NAMES = (
    *("eager", "tuned", "onnxruntime", "openvino", "split", "avx512", "compiled"),
    *("cuda", "cuda-fp16", "cuda-bf16", "tensorrt"),
)
ALONE = "@1"  # after an engine's name: on one thread


def check_name(name: str, known: Sequence[str] = NAMES) -> None:
    """Refuse a name, without `ALONE`, that is no engine's."""
    if name not in known:
        raise UserError(
            f"unknown engine {name!r}{closest(name, tuple(known))}; known: {', '.join(known)}"
        )
