import sys
from pathlib import Path

import pytest
import torch
from kernel_in_torch import HERE

from convatlas.errors import UserError
from convatlas.runtime.engines.kernel import library

needs_the_processor = pytest.mark.skipif(
    library.lacking(HERE) is not None, reason=f"no kernel can run here: {library.lacking(HERE)}"
)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel lacks Linux")
def test_what_a_machine_lacks_is_said() -> None:
    odd = library.Kernel("odd", ("avx512f", "warp_drive"), "x86-64-v4")
    assert "has no" in str(library.lacking(odd))
    assert "warp_drive" in str(library.lacking(odd))
    library.load.cache_clear()
    with pytest.raises(UserError, match="the engine odd cannot run here"):
        library.load(odd)


@needs_the_processor
def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))
    broken = tmp_path / "sources"
    broken.mkdir()
    (broken / "kernel.cpp").write_text("this is no C++;")
    monkeypatch.setattr(library, "FOLDER", broken)
    library.load.cache_clear()
    with pytest.raises(UserError, match=r"cannot compile kernel.cpp: .*error"):
        library.load(HERE)
    assert not list((tmp_path / "kernel").iterdir())
    library.load.cache_clear()


@needs_the_processor
def test_a_library_that_was_cut_is_compiled_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))
    compiled: list[Path] = []

    def compile_(found: str, kernel: library.Kernel, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("whole" if compiled else "cut")
        compiled.append(path)

    def load_library(path: Path) -> None:
        if path.read_text() == "cut":
            raise OSError("Could not load this library")

    monkeypatch.setattr(library, "_compile", compile_)
    monkeypatch.setattr(torch.ops, "load_library", load_library)
    library.load.cache_clear()
    library.load(HERE)
    assert len(compiled) == 2
    library.load.cache_clear()
    library.load(HERE)
    assert len(compiled) == 2


@needs_the_processor
def test_another_compiler_or_source_is_another_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = library.compiler()
    assert found is not None
    other = tmp_path / "c++"
    other.write_text("#!/bin/sh\necho another version\n")
    other.chmod(0o755)
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "kernel.cpp").write_text("")
    first = library._key(found, HERE)
    assert first == library._key(found, HERE) != library._key(str(other), HERE)
    monkeypatch.setattr(library, "FOLDER", tmp_path / "kernel")
    assert library._key(found, HERE) != first
