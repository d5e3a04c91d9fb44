"""Learning-rate schedules: each a frozen value, the rate a pure function of where training is.

Nothing is remembered between steps (a plateau is read off the validation errors so far), so a
resumed run has the rates of an undisturbed one.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import msgspec

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Factor = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class _Schedule(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """In a recipe file, a table ``[schedule]`` with its ``kind``."""


class Constant(_Schedule, frozen=True, kw_only=True, tag="constant", forbid_unknown_fields=True):
    """The same rate throughout."""


class Step(_Schedule, frozen=True, kw_only=True, tag="step", forbid_unknown_fields=True):
    """The rate times ``factors[i]`` from epoch ``at[i]`` on (epochs counted from 0)."""

    at: tuple[Factor, ...]
    factors: tuple[Factor, ...]


class Plateau(_Schedule, frozen=True, kw_only=True, tag="plateau", forbid_unknown_fields=True):
    """The rate times ``factor`` after ``patience`` epochs without a lower validation error."""

    factor: Factor = 0.1
    patience: Annotated[int, msgspec.Meta(ge=1)] = 3


class Cosine(_Schedule, frozen=True, kw_only=True, tag="cosine", forbid_unknown_fields=True):
    """Linear rise over the first ``warmup`` of the run, then half a cosine down to 0."""

    warmup: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


class OneCycle(_Schedule, frozen=True, kw_only=True, tag="one-cycle", forbid_unknown_fields=True):
    """Half a cosine from ``start`` up to 1 over ``rise`` of the run, then one down to ``end``.

    Smith & Topin 2017, with the cosine shape torch's OneCycleLR gives it.
    """

    rise: Share = 0.3
    start: Factor = 0.04
    end: Factor = 4e-6


class Triangular(
    _Schedule, frozen=True, kw_only=True, tag="triangular", forbid_unknown_fields=True
):
    """Linear rise from 0 over ``rise`` of the run, then linear fall to 0."""

    rise: Share = 0.3


Schedule = Constant | Step | Plateau | Cosine | OneCycle | Triangular


@dataclass(frozen=True, slots=True)
class Moment:
    """Where training is: before step ``step`` of ``steps``, ``per_epoch`` of them in an epoch."""

    step: int
    steps: int
    per_epoch: int
    validation_errors: tuple[float, ...] = ()  # one for each finished epoch


def factor(schedule: Schedule, moment: Moment) -> float:
    """What the recipe's learning rate is multiplied with for the next step."""
    progress = (moment.step + 0.5) / moment.steps  # the middle of the step
    match schedule:
        case Constant():
            return 1.0
        case Step(at=at, factors=factors):
            epoch = moment.step / moment.per_epoch
            return math.prod(f for start, f in zip(at, factors, strict=True) if epoch >= start)
        case Plateau():
            return float(schedule.factor ** plateaus(moment.validation_errors, schedule.patience))
        case Cosine(warmup=warmup):
            if progress < warmup:
                return progress / warmup
            return _cosine(1.0, 0.0, (progress - warmup) / (1 - warmup))
        case OneCycle(rise=rise):
            if progress < rise:
                return _cosine(schedule.start, 1.0, progress / rise)
            return _cosine(1.0, schedule.end, (progress - rise) / (1 - rise))
        case Triangular(rise=rise):
            return progress / rise if progress < rise else (1 - progress) / (1 - rise)


def plateaus(errors: tuple[float, ...], patience: int) -> int:
    """How many times ``patience`` epochs in a row have brought no lower error."""
    best, waited, count = math.inf, 0, 0
    for error in errors:
        waited = 0 if error < best else waited + 1
        best = min(best, error)
        if waited == patience:
            count, waited = count + 1, 0
    return count


def _cosine(start: float, end: float, progress: float) -> float:
    """Half a cosine from start to end."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
