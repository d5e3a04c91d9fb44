"""The fastest engine for a job, found by measuring those that compute the same."""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import torch

from convatlas.errors import UserError, argued, one_line
from convatlas.runtime.closeness import EQUAL, relative_error
from convatlas.runtime.engine_names import ALONE
from convatlas.runtime.engines import ENGINES, available, check_name, engine
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.engines.kernel.library import compiler
from convatlas.runtime.measure import FULL, Effort, Tell, measure, untold
from convatlas.runtime.network import Array, random_pixels
from convatlas.runtime.remembered import circumstances, recall, remember

QUICK = 3e-3  # seconds a call below which waking threads may cost more than they bring
Example = tuple[Array, Array]  # pictures and their scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An engine on a job: seconds a call in each block, how equal it is, or why it is out.

    ``tried``: not so where the budget was at its end before the engine was built.
    """

    name: str
    error: float
    seconds: tuple[float, ...] = ()
    refused: str | None = None
    tried: bool = True

    @property
    def median(self) -> float:
        """Seconds a call; infinite if it was refused."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine kept, by name and ready to run, and all that was measured, fastest first.

    Nothing was measured if the choice was remembered.
    """

    name: str
    engine: Engine
    measured: tuple[Measured, ...]


def fastest(job: Job, effort: Effort = FULL, tell: Tell = untold) -> Choice:
    """The engine remembered for this job and machine, if it still is equal; else one is chosen.

    ``tell`` hears what is being done. Where the budget did not suffice to build all engines, the
    choice is for budgets up to it. Raises `UserError` if not one runs the network.
    """
    here = job_circumstances(job)
    known = recall(here, effort.budget)
    if known is not None:
        tell(_building(known.engine))
        try:
            made = build(known.engine, job)
            if worst_error(job, made) <= tolerance(known.engine):
                return Choice(known.engine, made, ())
        except Exception:  # it was built once; whatever changed, choosing again finds out
            pass
    choice = choose(job, effort=effort, tell=tell)
    kept = next(each for each in choice.measured if each.name == choice.name)
    whole = all(each.tried for each in choice.measured)
    remember(here, choice.name, kept.median, None if whole else effort.budget)
    return choice


def choose(
    job: Job,
    names: Sequence[str] = (),
    *,
    effort: Effort = FULL,
    judged: Mapping[str, Engine] = MappingProxyType({}),
    tell: Tell = untold,
) -> Choice:
    """Build the engines, refuse those unequal to eager, measure the others in turn.

    ``names``: by default all that run here, the quickest to build first, as far as the budget
    goes, and for quick networks the best on one thread too. ``judged``: engines measured too
    though they are not equal, as someone has judged them; none of them is kept.
    ``tell`` hears what is being done, between the measurements.
    Raises `UserError` for a name that is no engine's, before anything is built, or if not one that
    is equal is left.
    """
    for name in names:
        check_name(name.removesuffix(ALONE))
    tell("running torch eager, to compare with")
    examples = examples_of(job)
    tried = _tried(job, names, examples, budget=effort.budget, tell=tell)
    if not tried.engines:
        raise _none_left(job, tried, names)
    tried.add(judged, {name: worst_error(job, made, examples) for name, made in judged.items()})
    seconds = measure(tried.engines, random_pixels(job.shape), effort, tell)
    alone = () if names else _quick(job, seconds)
    if alone:
        more = _tried(job, alone, examples, tell=tell)
        tried.add(more.engines, more.errors)
        tried.refused.extend(more.refused)
        seconds = measure(tried.engines, random_pixels(job.shape), effort, tell)
    found = [
        Measured(name=name, error=tried.errors[name], seconds=tuple(seconds[name]))
        for name in tried.engines
    ]
    found.sort(key=lambda each: each.median)
    # an engine dropped after a lucky or unlucky first block must not win on fewer blocks
    equal = [each for each in found if each.name not in judged]
    full = [m for m in equal if len(m.seconds) == max(len(each.seconds) for each in equal)]
    return Choice(full[0].name, tried.engines[full[0].name], (*found, *tried.refused))


def job_circumstances(job: Job) -> dict[str, str]:
    """What a choice for a job depends on.

    Of the network its name, input and the shapes of its weights: how fast an engine is does not
    depend on their values, and whether it is equal is looked at whenever it is built. Of the
    machine also what lets engines run, as one that is new here may be the fastest.
    """
    state = job.network.module.state_dict()
    weights = repr([(name, tuple(value.shape)) for name, value in state.items()])
    return circumstances(f"{job.network.name} {weights}", job.shape, job.threads, _surroundings())


def _surroundings() -> dict[str, str]:
    """The engines that run here, and the compiler and the GPU that some of them depend on."""
    found = compiler()
    gpu = torch.cuda.is_available()
    return {
        "engines": " ".join(available()),
        "compiler": os.path.realpath(found) if found else "none",  # which names its version
        "gpu": torch.cuda.get_device_name() if gpu else "none",
    }


def build(name: str, job: Job) -> Engine:
    """The named engine; with ``@1`` behind its name on one thread."""
    if name.endswith(ALONE):
        return engine(name.removesuffix(ALONE), replace(job, threads=1))
    return engine(name, job)


def checked(name: str, job: Job) -> Engine:
    """The named engine for a job, if it computes what torch eager does.

    Raises `UserError`: an unknown name, an engine that cannot run here or breaks, or whose scores
    are other ones.
    """
    try:
        made = build(name, job)
        error = worst_error(job, made)
    except UserError:
        raise
    except Exception as problem:  # engines raise what they like
        raise UserError(
            f"the engine {name} cannot run {job.network.name}: {one_line(problem)}"
        ) from problem
    if not error <= tolerance(name):
        raise UserError(
            f"the engine {name} computes something else than {job.network.name} by torch: relative "
            f"error {error:.1e}, at most {tolerance(name):.0e} is accepted; choose another one"
        )
    return made


def tolerance(name: str) -> float:
    """The relative error to eager that the named engine may have."""
    plain = name.removesuffix(ALONE)
    return ENGINES[plain].tolerance if plain in ENGINES else EQUAL


def worst_error(job: Job, made: Engine, examples: Sequence[Example] = ()) -> float:
    """The largest relative error to eager on the examples, by default those of the job."""
    return max(relative_error(made(fed), wanted) for fed, wanted in examples or examples_of(job))


def examples_of(job: Job) -> list[Example]:
    """Random pictures and, if there are, real ones, with eager's scores, which must be numbers."""
    fed = [random_pixels(job.shape, seed) for seed in range(2)]
    real = job.network.real
    if real is not None and len(real) >= job.batch:
        fed.append(real[: job.batch])
    return [(pixels, job.network.expected(pixels)) for pixels in fed]


@dataclass(slots=True)
class _Tried:
    """Engines that are equal, with their errors, and those that are not or were not tried."""

    engines: dict[str, Engine] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    refused: list[Measured] = field(default_factory=list)

    def add(self, engines: Mapping[str, Engine], errors: Mapping[str, float]) -> None:
        self.engines.update(engines)
        self.errors.update(errors)


def _tried(
    job: Job,
    names: Sequence[str],
    examples: Sequence[Example],
    *,
    budget: float = float("inf"),
    tell: Tell,
) -> _Tried:
    """Build the named engines, or those that run here until the budget ends; hold each to eager."""
    tried, started = _Tried(), time.monotonic()
    for name in names or sorted(available(), key=lambda each: ENGINES[each].patience):
        if not names and ENGINES[name].outdone_by in tried.engines:
            continue
        left = budget - (time.monotonic() - started)
        if not names and tried.engines and ENGINES[name].patience > left:
            said = f"not tried: of {budget:.0f} s for building engines {max(left, 0):.0f} are left"
            out = Measured(name=name, error=float("nan"), refused=said, tried=False)
            tried.refused.append(out)
            continue
        tell(_building(name))
        try:
            made = build(name, job)
            error = worst_error(job, made, examples)
        except Exception as problem:  # engines raise what they like
            said = one_line(problem)
            tried.refused.append(Measured(name=name, error=float("inf"), refused=said))
            continue
        if not error <= tolerance(name):
            said = f"relative error {error:.1e}, at most {tolerance(name):.0e} is accepted"
            tried.refused.append(Measured(name=name, error=error, refused=said))
        else:
            tried.add({name: made}, {name: error})
    return tried


def _none_left(job: Job, tried: _Tried, names: Sequence[str]) -> UserError:
    """Why there is no engine, each reason once; the way out is to name others or none."""
    reasons = dict.fromkeys(str(each.refused) for each in tried.refused)
    said = f"{job.network.name} is left without an engine: {'; '.join(reasons)}"
    if not names:
        return UserError(said)
    return argued(
        f"{said}; name others, or leave ", ("engines", "--engines"), " out for all there are"
    )


def _building(name: str) -> str:
    """In words, with how long it mostly takes where one would wonder."""
    plain = name.removesuffix(ALONE)
    patience = ENGINES[plain].patience if plain in ENGINES else 0
    return f"building {name}" + (f", mostly {patience:.0f} s" if patience > 1 else "")


def _quick(job: Job, seconds: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """The engines with threads of their own, on one thread, where a call is quick."""
    if job.threads == 1 or min(map(statistics.median, seconds.values())) > QUICK:
        return ()
    return tuple(f"{name}{ALONE}" for name in seconds if name in ENGINES and ENGINES[name].threaded)
