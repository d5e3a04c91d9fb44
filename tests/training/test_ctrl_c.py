"""Ctrl-C during training, pressed in a process of its own: a signal goes to a whole process."""

import signal
import subprocess
import sys
from pathlib import Path

from convatlas.training.run import RunFolder, load_run

TRAIN = """
import os, signal, sys
from pathlib import Path
import torch
from convatlas.training.loop import Silent
from convatlas.training.prepare import Request
from convatlas.training.recipe import Recipe
from convatlas.training.run import RunFolder
from convatlas.training.train import train

torch.set_num_threads(1)
pictures, run, presses = sys.argv[1:]

class Press(Silent):
    def step(self, done, total, loss):
        for _ in range(int(presses)):
            os.kill(os.getpid(), signal.SIGINT)

recipe = Recipe(name="short", epochs=2, batch=16, lr=0.05, validation=0.2)
request = Request(network="lenet-relu", data=f"folder:{pictures}", recipe=recipe)
train(request, RunFolder(Path(run)), Press())
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def trained(pictures: Path, run: Path, presses: int) -> "subprocess.CompletedProcess[str]":
    """Train in a new process that presses Ctrl-C so many times at its first look at the loss."""
    command = [sys.executable, "-c", TRAIN, str(pictures), str(run), str(presses)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_first_stops_after_the_current_step(pictures: Path, tmp_path: Path) -> None:
    ran = trained(pictures, tmp_path / "run", presses=1)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n", "")  # the handler is put back
    card = load_run(tmp_path / "run").card
    assert card.status == "interrupted"
    assert card.step == 5  # the first look at the loss is at the end of the epoch


def test_the_second_stops_at_once_and_leaves_a_run_to_resume(
    pictures: Path, tmp_path: Path
) -> None:
    ran = trained(pictures, tmp_path / "run", presses=2)
    assert ran.returncode == -signal.SIGINT
    assert ran.stderr.rstrip().endswith("KeyboardInterrupt")
    assert RunFolder(tmp_path / "run").checkpoint.exists()
