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


def kill_after(process: subprocess.Popen[bytes], checkpoint: Path, seconds: float) -> bool:
    """Kill -9 that long after the first checkpoint; whether it came before the end."""
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(seconds)
    if process.poll() is not None:
        return False
    process.kill()
    process.wait()
    return True


def test_killed_runs_resume_bit_for_bit(pictures: Path, tmp_path: Path) -> None:
    asked = ("--data", f"folder:{pictures}", "--batch", "2", "--epochs", "12", "--lr", "0.01")
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    assert start("train", "lenet-bn", *asked, "--out", whole.path).wait() == 0
    rng = random.Random(0)
    process, kills = start("train", "lenet-bn", *asked, "--out", killed.path), 0
    for _ in range(3):
        waited = rng.uniform(0.0, 0.4)
        if kills:  # a resumed process first has to import torch again
            waited += 3.0
        if not kill_after(process, killed.checkpoint, waited):
            break
        kills += 1
        process = start("resume", killed.path)
    assert kills
    assert process.wait() == 0
    first, second = (load_run(run.path).model.state_dict() for run in (whole, killed))
    for name in first:
        assert torch.equal(first[name], second[name]), name
