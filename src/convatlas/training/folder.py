"""A run's folder: what training leaves behind, and whether it is there; imports no torch.

recipe.toml              every choice of the training
metrics.jsonl            one line an epoch
model.safetensors        weights, pre-processing figures and, in the header, the card
evaluation.safetensors   scores, labels and the worst pictures of the part evaluated last
report.html              all of it to look at
checkpoint.safetensors   only while a run is unfinished
"""

import os
from dataclasses import dataclass
from pathlib import Path

from convatlas.errors import UserError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def recipe(self) -> Path:
        """Every choice of the training."""
        return self.path / "recipe.toml"

    @property
    def metrics(self) -> Path:
        """One line an epoch."""
        return self.path / "metrics.jsonl"

    @property
    def model(self) -> Path:
        """Weights and card."""
        return self.path / "model.safetensors"

    @property
    def evaluation(self) -> Path:
        """What the report shows of the last evaluation."""
        return self.path / "evaluation.safetensors"

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.path / "report.html"

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run goes on."""
        return self.path / "checkpoint.safetensors"


def check_run(path: Path) -> None:
    """Raise `UserError` for a folder that holds no trained network."""
    folder = RunFolder(path)
    if not os.path.isdir(path):  # not Path.is_dir, which raises for names too long
        raise UserError(f"there is no run folder {path}; `convatlas train` makes one")
    if not folder.model.exists():
        hint = "it can be resumed" if folder.checkpoint.exists() else "is it a run folder?"
        raise UserError(f"{path} holds no model.safetensors; {hint}")


def check_begun(path: Path) -> None:
    """Raise `UserError` for a folder in which no training was ever begun."""
    folder = RunFolder(path)
    if not (os.path.exists(folder.checkpoint) or os.path.exists(folder.model)):
        raise UserError(f"nothing to resume: {path} is not a run folder")
