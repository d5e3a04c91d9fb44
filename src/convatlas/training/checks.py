"""What a run refuses before it starts; each raises `UserError` with the way out."""

import math
from typing import Any

import torch
from torch import nn

from convatlas.errors import UserError
from convatlas.models.family import Blueprint
from convatlas.training.recipe import Recipe


def check_seed(seed: int) -> None:
    """Torch takes no others."""
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise UserError(f"a seed is a whole number from 0 to 2^63 - 1, given {seed}")


def check_freezes(recipe: Recipe, blueprint: Blueprint[Any]) -> None:
    """What is to be frozen must be there, and something must be left to train."""
    if not recipe.freeze:
        return
    with torch.device("meta"):
        model = blueprint.build()
    parts = {path: part for path, part in model.named_modules() if path}
    for freeze in recipe.freeze:
        if freeze.part not in parts:
            raise UserError(
                f"the recipe freezes {freeze.part!r}, which {blueprint.name} does not have; "
                f"its parts are {', '.join(path for path in parts if '.' not in path)}"
            )
        parts[freeze.part].requires_grad_(False)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise UserError("the recipe freezes every part of the network; leave one to train")


def check_batch(batch: int, count: int, blueprint: Blueprint[Any]) -> None:
    """Batch norm of a dense layer needs two pictures in every batch to have a variance."""
    smallest = count // math.ceil(count / batch)
    with torch.device("meta"):
        dense_norm = any(isinstance(part, nn.BatchNorm1d) for part in blueprint.build().modules())
    if dense_norm and smallest < 2:
        raise UserError(
            f"{blueprint.name} has batch norm and needs two pictures in every batch; "
            f"{count} pictures in batches of {batch} leave one alone: give a larger --batch"
        )
