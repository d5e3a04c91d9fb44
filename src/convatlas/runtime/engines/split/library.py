"""The kernel compiled for this machine and loaded into torch, once for all networks."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

from convatlas.cache import cache_folder
from convatlas.errors import UserError
from convatlas.processor import processor

SOURCE = Path(__file__).with_name("kernel.cpp")
NEEDED = ("amx_tile", "amx_bf16", "avx512_bf16")  # as Linux calls them
FLAGS = ("-O3", "-std=c++20", "-march=sapphirerapids", "-fopenmp", "-fPIC", "-shared")


def lacking() -> str | None:
    """What this machine lacks to run the kernel, or ``None``."""
    if sys.platform != "linux":
        return "it is written for Linux"
    missing = [name for name in NEEDED if name not in processor().instructions]
    if missing:
        return f"this processor has no {', '.join(missing)}"
    return None if compiler() else "there is no C++ compiler; install g++, or set CXX"


def compiler() -> str | None:
    """The C++ compiler: the one ``CXX`` names, or the system's."""
    return shutil.which(os.environ.get("CXX") or "c++") or shutil.which("g++")


@cache
def load() -> None:
    """Make ``torch.ops.convatlas_split`` there; `UserError` if it cannot be compiled or run.

    The compiled library lies in the cache under a name made of its source, torch's version and
    the flags. Compiling takes about ten seconds.
    """
    import torch

    if reason := lacking():
        raise UserError(f"the engine split cannot run here: {reason}")
    key = "\n".join((SOURCE.read_text(), torch.__version__, *FLAGS))
    path = cache_folder() / "split" / f"{sha256(key.encode()).hexdigest()[:16]}.so"
    if not path.exists():
        _compile(path)
    torch.ops.load_library(path)  # type: ignore[no-untyped-call]  # torch annotates it not
    if not torch.ops.convatlas_split.permitted():
        raise UserError("the engine split cannot run here: the system refuses the tiles' registers")


def _compile(path: Path) -> None:
    """Compile beside ``path``, then rename, so that two processes do not disturb each other."""
    import torch

    root = Path(torch.__file__).parent
    found = compiler()
    assert found is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        libraries = (f"-L{root / 'lib'}", "-ltorch_cpu", "-lc10")
        abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
        command = [found, *FLAGS, abi, f"-I{root / 'include'}", str(SOURCE), *libraries, "-o"]
        ran = subprocess.run([*command, str(made)], capture_output=True, text=True, check=False)
        if ran.returncode:
            said = next((x for x in ran.stderr.splitlines() if "error" in x), "no reason given")
            raise UserError(f"{found} cannot compile {SOURCE.name}: {said.strip()[:200]}")
        os.replace(made, path)
