"""A recipe: every choice of a training run but the network, the data and the seed."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from convatlas.data.kind import Kind
from convatlas.errors import UserError
from convatlas.training.schedule import Constant, Plateau, Schedule, Step

# The upper bounds keep out infinities and slips of the hand, not experiments.
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
Pixels = Annotated[int, msgspec.Meta(ge=0, le=4096)]


class Freeze(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop moving the weights of one part of the network after a share of the run.

    The running statistics of its batch norms are still kept up.
    Early layers settle first, and what is frozen need not be differentiated any more
    (FreezeOut: Brock, Lim, Ritchie, Weston 2017, arXiv:1706.04983).
    """

    part: str  # the path of a module, "stage1"
    after: Share


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network is trained; stored with the run as ``recipe.toml``.

    ``loss = "rbf-map"`` is equation 9 of LeCun et al. 1998 for radial basis outputs.
    ``keep`` says which weights a finished run holds: those after the last step, or those of the
    epoch with the lowest validation error. ``precision = "auto"`` and ``channels_last = "auto"``
    mean mixed precision and channels-last memory on a GPU, float32 and plain memory on a CPU.
    """

    name: str = "unnamed"
    # the picture
    preprocess: Kind = "channel-standard"
    pad: Pixels = 0
    shift: Pixels = 0
    flip: bool = False
    crop: Count | None = None
    validation: Share = 0.1
    # the loss
    loss: Literal["cross-entropy", "rbf-map"] = "cross-entropy"
    label_smoothing: Share = 0.0
    dropout: Share | None = None
    # the steps
    epochs: Count = 10
    batch: Count = 128
    lr: Positive = 0.1
    schedule: Schedule = Constant()
    momentum: Share = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    clip_norm: Positive | None = None
    freeze: tuple[Freeze, ...] = ()
    keep: Literal["last", "best"] = "last"
    # the machine
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    channels_last: bool | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")
        if self.loss == "rbf-map" and self.label_smoothing:
            raise ValueError("label smoothing goes with the cross-entropy loss")
        if isinstance(self.schedule, Step) and len(self.schedule.at) != len(self.schedule.factors):
            raise ValueError("a step schedule needs one factor for each epoch in `at`")
        needs_validation = self.keep == "best" or isinstance(self.schedule, Plateau)
        if needs_validation and not self.validation:
            raise ValueError('a plateau schedule and keep = "best" need a validation part')


def changed(recipe: Recipe, changes: dict[str, object]) -> Recipe:
    """The recipe with some fields replaced and its name saying so.

    Checked like a file: `UserError` names the field that is off.
    """
    if not changes:
        return recipe
    noted = ", ".join(f"{field} {value}" for field, value in changes.items())
    fields = {**msgspec.to_builtins(recipe), **changes, "name": f"{recipe.name} with {noted}"}
    return _convert(fields, f"the recipe {recipe.name!r} with {noted}")


def checked(recipe: Recipe) -> Recipe:
    """The same recipe, its fields checked as if it came from a file (Python checks none)."""
    return _convert(msgspec.to_builtins(recipe), f"the recipe {recipe.name!r}")


def to_toml(recipe: Recipe) -> str:
    """The recipe as a TOML document; what is ``None`` is left out."""
    fields = {key: value for key, value in msgspec.to_builtins(recipe).items() if value is not None}
    return msgspec.toml.encode(fields).decode()


def read_toml(path: Path) -> Recipe:
    """Read and check a recipe file; `UserError` names the file and the field that is off."""
    try:
        fields = msgspec.toml.decode(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"there is no recipe file {path}") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the recipe {path}: {error}") from None
    return _convert({"name": path.stem, **fields}, str(path))


def _convert(fields: object, where: str) -> Recipe:
    try:
        return msgspec.convert(fields, Recipe)
    except msgspec.ValidationError as error:
        said = str(error).replace("`$.", "`").replace(" - at ", ", in ")
        raise UserError(f"{where}: {said}") from None
