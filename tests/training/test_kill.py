"""A run killed outright, again and again, ends with the weights of an undisturbed one."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from convatlas.training.run import RunFolder, load_run

pytestmark = pytest.mark.slow


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "convatlas", *map(str, arguments), "--checkpoint-every", "7"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def written(checkpoint: Path) -> int:
    """When the checkpoint was last written; 0 if it is not there."""
    try:
        return checkpoint.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def kill_after(process: subprocess.Popen[bytes], checkpoint: Path, seconds: float) -> bool:
    """Kill -9 that long after the process's first checkpoint; whether it left work to do."""
    before = written(checkpoint)
    while written(checkpoint) in (0, before) and process.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()
    process.wait()
    return checkpoint.exists()  # a finished run has none


def test_killed_runs_resume_bit_for_bit(pictures: Path, tmp_path: Path) -> None:
    asked = ("--data", f"folder:{pictures}", "--batch", "2", "--epochs", "20", "--lr", "0.01")
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    assert start("train", "lenet-bn", *asked, "--out", whole.path).wait() == 0
    rng = random.Random(0)
    process, kills = start("train", "lenet-bn", *asked, "--out", killed.path), 0
    while kills < 3 and kill_after(process, killed.checkpoint, rng.uniform(0.0, 0.3)):
        kills += 1
        process = start("resume", killed.path)
    assert kills
    process.wait()
    assert load_run(killed.path).card.status == "finished"
    first, second = (load_run(run.path).model.state_dict() for run in (whole, killed))
    for name in first:
        assert torch.equal(first[name], second[name]), name
