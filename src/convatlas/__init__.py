"""ConvAtlas: the classic convolutional networks, exactly as published.

import convatlas
run = convatlas.train("lenet-bn", "mnist")
print(run.test.error, run.folder.report)
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from convatlas.checkpoints.load import load_weights as load_weights
    from convatlas.checkpoints.save import save_weights as save_weights
    from convatlas.data.dataset import Dataset as Dataset
    from convatlas.data.dataset import Pictures as Pictures
    from convatlas.data.dataset import SealedTest as SealedTest
    from convatlas.data.load import load as load
    from convatlas.errors import UserError as UserError
    from convatlas.insight.features import features as features
    from convatlas.models import blueprint as blueprint
    from convatlas.models import create as create
    from convatlas.models.family import Task as Task
    from convatlas.runtime.form import Form as Form
    from convatlas.training.recipe import Recipe as Recipe
    from convatlas.training.recipes import recipe_for as recipe_for
    from convatlas.training.run import load_run as load_run
    from convatlas.workbench.bench import How as How
    from convatlas.workbench.bench import bench as bench
    from convatlas.workbench.compare import compare as compare
    from convatlas.workbench.diff import diff as diff
    from convatlas.workbench.doctor import doctor as doctor
    from convatlas.workbench.export import export as export
    from convatlas.workbench.fastest import fastest as fastest
    from convatlas.workbench.field import field as field
    from convatlas.workbench.given import Given as Given
    from convatlas.workbench.int8 import Int8 as Int8
    from convatlas.workbench.predict import Computing as Computing
    from convatlas.workbench.predict import predict as predict
    from convatlas.workbench.runs import Options as Options
    from convatlas.workbench.runs import evaluate as evaluate
    from convatlas.workbench.runs import report as report
    from convatlas.workbench.runs import resume as resume
    from convatlas.workbench.runs import train as train
    from convatlas.workbench.runs import train_seeds as train_seeds
    from convatlas.workbench.show import show as show
    from convatlas.workbench.sweep import sweep as sweep

# name: where it lives; imported on first use, so that `import convatlas` brings no torch
_PLACES = {
    "show": "convatlas.workbench.show",
    "compare": "convatlas.workbench.compare",
    "diff": "convatlas.workbench.diff",
    "sweep": "convatlas.workbench.sweep",
    "doctor": "convatlas.workbench.doctor",
    "field": "convatlas.workbench.field",
    "bench": "convatlas.workbench.bench",
    "export": "convatlas.workbench.export",
    "fastest": "convatlas.workbench.fastest",
    "features": "convatlas.insight.features",
    "Given": "convatlas.workbench.given",
    "Form": "convatlas.runtime.form",
    "Int8": "convatlas.workbench.int8",
    "Computing": "convatlas.workbench.predict",
    "How": "convatlas.workbench.bench",
    "Dataset": "convatlas.data.dataset",
    "Options": "convatlas.workbench.runs",
    "Pictures": "convatlas.data.dataset",
    "Recipe": "convatlas.training.recipe",
    "SealedTest": "convatlas.data.dataset",
    "Task": "convatlas.models.family",
    "UserError": "convatlas.errors",
    "blueprint": "convatlas.models",
    "create": "convatlas.models",
    "evaluate": "convatlas.workbench.runs",
    "load": "convatlas.data.load",
    "load_weights": "convatlas.checkpoints.load",
    "save_weights": "convatlas.checkpoints.save",
    "load_run": "convatlas.training.run",
    "predict": "convatlas.workbench.predict",
    "recipe_for": "convatlas.training.recipes",
    "report": "convatlas.workbench.runs",
    "resume": "convatlas.workbench.runs",
    "train": "convatlas.workbench.runs",
    "train_seeds": "convatlas.workbench.runs",
}
__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives."""
    if name not in _PLACES:
        raise AttributeError(f"module 'convatlas' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
