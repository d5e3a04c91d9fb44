"""The kernel compiled for this machine and loaded into torch, once for all networks.

Its sources compute in one of two ways, by the processor they are compiled for.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from convatlas.cache import cache_folder
from convatlas.errors import UserError
from convatlas.processor import processor

FOLDER = Path(__file__).with_name("cpp")
# two kernels in one process have the same names inside: hidden, neither takes the other's
FLAGS = ("-O3", "-std=c++20", "-fopenmp", "-fPIC", "-shared", "-fvisibility=hidden")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A way to compute: its name, the instructions it needs, as Linux calls them, and the target.

    The target is what the compiler calls a processor that has them.
    """

    name: str
    needed: tuple[str, ...]
    target: str

    @property
    def operations(self) -> Any:
        """Torch's namespace of the kernel's operations, once it is loaded."""
        import torch

        return getattr(torch.ops, f"convatlas_{self.name}")

    def room(self, shape: Sequence[int], window: Sequence[int]) -> int:
        """Bytes of a packed map of a shape (N, C, H, W), for convolutions of a window."""
        return int(self.operations.bytes(shape, window))


SPLIT = Kernel("split", ("amx_tile", "amx_bf16", "avx512_bf16"), "sapphirerapids")
AVX512 = Kernel("avx512", ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"), "x86-64-v4")


def lacking(kernel: Kernel) -> str | None:
    """What this machine lacks to run the kernel, or ``None``."""
    if sys.platform != "linux":
        return "it is written for Linux"
    missing = [name for name in kernel.needed if name not in processor().instructions]
    if missing:
        return f"this processor has no {', '.join(missing)}"
    return None if compiler() else "there is no C++ compiler; install g++, or set CXX"


def compiler() -> str | None:
    """The C++ compiler: the one ``CXX`` names, or the system's."""
    return shutil.which(os.environ.get("CXX") or "c++") or shutil.which("g++")


@cache
def load(kernel: Kernel) -> None:
    """Make the kernel's operations there; `UserError` if it cannot be compiled or run.

    The compiled library lies in the cache under a name made of its sources, torch's version, the
    compiler and the flags; one that cannot be loaded is compiled once more. Compiling takes about
    twenty seconds.
    """
    import torch

    if reason := lacking(kernel):
        raise UserError(f"the engine {kernel.name} cannot run here: {reason}")
    found = compiler()
    assert found is not None
    path = cache_folder() / "kernel" / f"{kernel.name}-{_key(found, kernel)}.so"
    if not path.exists():
        _compile(found, kernel, path)
    try:
        torch.ops.load_library(path)  # type: ignore[no-untyped-call]  # torch annotates it not
    except OSError:  # as for a file that a loss of power has cut
        _compile(found, kernel, path)
        torch.ops.load_library(path)  # type: ignore[no-untyped-call]
    if not kernel.operations.permitted():
        raise UserError(
            f"the engine {kernel.name} cannot run here: the system refuses the tiles' registers"
        )


def _key(found: str, kernel: Kernel) -> str:
    """What the compiled library depends on, as a name."""
    import torch

    asked = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    sources = (path.read_text() for path in sorted(FOLDER.iterdir()))
    key = "\n".join((*sources, torch.__version__, found, asked.stdout, kernel.target, *FLAGS))
    return sha256(key.encode()).hexdigest()[:16]


def _compile(found: str, kernel: Kernel, path: Path) -> None:
    """Compile beside ``path``, then rename, so that two processes do not disturb each other."""
    import torch

    root = Path(torch.__file__).parent
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        libraries = (f"-L{root / 'lib'}", "-ltorch_cpu", "-lc10")
        abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
        source = FOLDER / "kernel.cpp"
        flags = (*FLAGS, f"-march={kernel.target}", abi, f"-I{root / 'include'}")
        command = [found, *flags, str(source), *libraries, "-o"]
        ran = subprocess.run([*command, str(made)], capture_output=True, text=True, check=False)
        if ran.returncode:
            said = next((x for x in ran.stderr.splitlines() if "error" in x), "no reason given")
            raise UserError(f"{found} cannot compile {source.name}: {said.strip()[:200]}")
        with made.open("rb") as written:
            os.fsync(written.fileno())  # or a loss of power may leave the name and half the file
        os.replace(made, path)
