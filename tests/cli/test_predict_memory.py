import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from tiny_bundle import Tiny, tiny_card, tiny_model

from convatlas.runtime.bundle import Bundle, write_bundle


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory, as Linux has it")
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    card = tiny_card(Tiny())
    assert card.preparation
    how = msgspec.structs.replace(card.preparation, side=64, crop=8)  # 12 kB decoded
    write_bundle(
        tmp_path / "m.convatlas",
        Bundle(msgspec.structs.replace(card, preparation=how), tiny_model(Tiny())),
    )
    (tmp_path / "many").mkdir()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(tmp_path / "many" / "00000.png")
    for number in range(1, 10_000):
        os.link(tmp_path / "many" / "00000.png", tmp_path / "many" / f"{number:05}.png")
    command = [sys.executable, "-m", "convatlas", "predict", "m.convatlas", "many", "--json"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    ) as running:
        assert running.stdout
        lines = iter(running.stdout)
        assert len(list(itertools.islice(lines, 2000))) == 2000
        early = peak(running.pid)
        # the last thousand lines are more than a pipe holds, so that the process is still there
        assert len(list(itertools.islice(lines, 7000))) == 7000
        late = peak(running.pid)
        assert len(list(lines)) == 1002  # with two brackets
    assert running.returncode == 0
    # 7,000 decoded pictures would be 86 MB, what is said of them 7 MB; the rest is the allocator's
    assert late - early < 4096


def peak(pid: int) -> int:
    """The most memory a process has had so far, in KiB."""
    lines: Iterator[str] = iter(Path(f"/proc/{pid}/status").read_text().splitlines())
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
