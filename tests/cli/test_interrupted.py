"""Ctrl-C while the command line is still being imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command", [["-m", "convatlas"], ["-c", "from convatlas.cli import main; main()"]]
)
def test_it_ends_quietly_and_with_the_status_of_ctrl_c(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    ran = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")
