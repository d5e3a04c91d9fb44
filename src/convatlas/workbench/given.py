"""What is said of a network beside its name, and what of it is wrong at first sight.

All is told before torch is imported, which takes seconds.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.checkpoints.file_names import check_weights
from convatlas.errors import UserError, argued
from convatlas.files import check_readable
from convatlas.workbench.ask import Sizes
from convatlas.workbench.named import check_named
from convatlas.workbench.real_pictures import check_folder

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is said of a network beside its name; a run says all but ``pictures`` itself.

    ``input``: ``(3, 224, 224)`` or ``3x224x224``, or ``224`` for a built-in network, which has its
    published size by default.
    ``weights``: a file that `convatlas.load_weights` reads. ``labels``: a file, one class a line.
    ``pictures``: a folder of pictures to compare on. ``mean``, ``deviation``, ``side``: how
    pictures are prepared, pixels from 0 to 1, after bringing their shorter side to ``side``; a
    number for each channel, or one for all.
    """

    input: Sizes | None = None
    classes: int | None = None
    weights: Path | str | None = None
    labels: Path | str | None = None
    pictures: Path | str | None = None
    mean: tuple[float, ...] | float | None = None
    deviation: tuple[float, ...] | float | None = None
    side: int | None = None


def with_input(given: Given, input: Sizes | None) -> Given:
    """With the input, which may be said beside it; `UserError` if both say one."""
    if not isinstance(given, Given):
        raise UserError(f"expected a convatlas.Given, given {given!r}")
    if input is None:
        return given
    if given.input is not None:
        raise UserError("the input is said twice, by input and by given; leave one out")
    return dataclasses.replace(given, input=input)


def check_given(what: "str | Path | nn.Module", given: Given) -> None:
    """Refuse what is not there, and what is not said of a network of this kind.

    ``what``: as in `convatlas.export`. Raises `UserError`; imports no torch.
    """
    if isinstance(what, str | Path):
        check_named(str(what))
    if isinstance(what, str | Path) and Path(what).is_dir():
        _check_for_run(str(what), given)
    elif not isinstance(what, str | Path) or ":" in str(what):
        _check_for_own(given)
    if given.weights:
        check_weights(Path(given.weights))
    if given.labels:
        check_readable(Path(given.labels))
    if given.pictures:
        check_folder(Path(given.pictures))


def _check_for_run(folder: str, given: Given) -> None:
    for field in dataclasses.fields(given):
        if field.name != "pictures" and getattr(given, field.name) is not None:
            name = (field.name, "std" if field.name == "deviation" else field.name)
            option = (name[0], f"--{name[1]}")
            raise argued(f"the run {folder} has its own ", name, "; leave ", option, " out")


def _check_for_own(given: Given) -> None:
    for name in ("weights", "classes"):
        if getattr(given, name) is not None:
            raise argued(
                (name, f"--{name}"),
                f" is for networks of `convatlas list`; a network of one's own sets its {name} in "
                "its code",
            )
