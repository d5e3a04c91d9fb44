"""Recipe, data and machine: what another run would need to be the same."""

from dataclasses import dataclass

import msgspec

from convatlas.reports.numbers import NBSP, setting
from convatlas.training.card import Card
from convatlas.training.recipe import Recipe
from convatlas.training.schedule import Schedule

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Some fields of a recipe under one heading."""

    title: str
    rows: Rows


def recipe_groups(recipe: Recipe) -> tuple[Group, ...]:
    """The recipe in words, in the order of its file."""
    return (
        Group("The picture", _picture(recipe)),
        Group("The loss", _loss(recipe)),
        Group("The steps", _steps(recipe)),
        Group("The machine", _precision(recipe)),
    )


def machine_rows(card: Card) -> Rows:
    """Where it was computed, and by what."""
    device = f"{card.device} ({card.device_name})" if card.device_name else card.device
    rows = (("Device", device), ("Threads", str(card.threads)), ("Seed", str(card.seed)))
    return (*rows, *card.versions.items(), ("SHA-256 of the weights", card.weights_sha256))


def _picture(recipe: Recipe) -> Rows:
    return (
        ("Pre-processing", recipe.preprocess),
        ("Frame of zeros", _pixels(recipe.pad)),
        ("Random shift", f"up to {_pixels(recipe.shift)}" if recipe.shift else "none"),
        ("Random mirroring", "left-right" if recipe.flip else "none"),
        ("Random crop", f"{recipe.crop} × {recipe.crop}" if recipe.crop else "none"),
        ("Validation part", _share(recipe.validation)),
    )


def _loss(recipe: Recipe) -> Rows:
    dropout = "as published" if recipe.dropout is None else _share(recipe.dropout)
    return (
        ("Loss", recipe.loss),
        ("Label smoothing", f"{recipe.label_smoothing:g}" if recipe.label_smoothing else "none"),
        ("Dropout", dropout),
        ("Weight decay", f"{recipe.weight_decay:g}" if recipe.weight_decay else "none"),
    )


def _steps(recipe: Recipe) -> Rows:
    nesterov = ", Nesterov’s" if recipe.nesterov else ""
    return (
        ("Epochs", str(recipe.epochs)),
        ("Batch", f"{recipe.batch} pictures"),
        ("Learning rate", f"{recipe.lr:g}"),
        ("Schedule", _schedule(recipe.schedule)),
        ("Momentum", f"{recipe.momentum:g}{nesterov}" if recipe.momentum else "none"),
        ("Gradient norm", f"at most {recipe.clip_norm:g}" if recipe.clip_norm else "not clipped"),
        ("Frozen", _frozen(recipe)),
        ("Weights kept", "best epoch" if recipe.keep == "best" else "last step"),
    )


def _frozen(recipe: Recipe) -> str:
    parts = (f"{freeze.part} after {_share(freeze.after)} of the run" for freeze in recipe.freeze)
    return ", ".join(parts) or "nothing"


def _precision(recipe: Recipe) -> Rows:
    names = {True: "channels last", False: "channels first", "auto": "auto"}
    return (("Precision", recipe.precision), ("Memory layout", names[recipe.channels_last]))


def _schedule(schedule: Schedule) -> str:
    fields = msgspec.to_builtins(schedule)
    kind = fields.pop("kind")
    settings = "; ".join(f"{key} {_listed(value)}" for key, value in fields.items())
    return f"{kind} ({settings})" if settings else kind


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _pixels(number: int) -> str:
    return f"{number}{NBSP}px" if number else "none"


def _share(share: float) -> str:
    return setting(share) if share else "none"
