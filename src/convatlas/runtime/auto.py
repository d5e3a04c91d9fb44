"""The fastest engine for a job, found by measuring those that compute the same."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from convatlas.errors import UserError
from convatlas.runtime.engines import available, engine
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.network import Array, random_pixels, relative_error

TOLERANCE = 1e-4
BLOCK = 0.3  # seconds of one measurement; shorter ones rank engines by luck
ROUNDS = 5
HOPELESS = 1.5  # times the best median after a round, and an engine is measured no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An engine on a job: seconds a call in each block, how equal it is, or why it is out."""

    name: str
    error: float
    seconds: tuple[float, ...] = ()
    refused: str | None = None

    @property
    def median(self) -> float:
        """Seconds a call; infinite if it was refused."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine kept, by name and ready to run, and all that was measured, fastest first."""

    name: str
    engine: Engine
    measured: tuple[Measured, ...]


def choose(
    job: Job,
    names: tuple[str, ...] | None = None,
    *,
    block: float = BLOCK,
    hopeless: float = HOPELESS,
    judged: Mapping[str, Engine] = MappingProxyType({}),
) -> Choice:
    """Build the engines, refuse those unequal to eager, measure the others in turn.

    ``hopeless``: how many times slower than the best an engine may be and still be measured.
    ``judged``: engines measured too though they are not equal, as someone has judged them; none of
    them is kept.
    Raises `UserError` if not one is left.
    """
    built: dict[str, Engine] = {}
    errors: dict[str, float] = {}
    refused: list[Measured] = []
    for name in names or available():
        try:
            made = engine(name, job)
            error = worst_error(job, made)
        except Exception as problem:  # engines raise what they like
            if isinstance(problem, UserError) and names:
                raise
            said = " ".join(str(problem).split())[:200]
            refused.append(Measured(name=name, error=float("inf"), refused=said))
            continue
        if error > TOLERANCE:
            said = f"relative error {error:.1e}, at most {TOLERANCE:.0e} is accepted"
            refused.append(Measured(name=name, error=error, refused=said))
        else:
            built[name], errors[name] = made, error
    for name, made in judged.items():
        built[name], errors[name] = made, worst_error(job, made)
    if not built:
        raise UserError(f"no engine runs {job.network.name}: {refused[0].refused}")
    seconds = measure(job, built, block, hopeless)
    found = [Measured(name=n, error=errors[n], seconds=tuple(seconds[n])) for n in built]
    found.sort(key=lambda each: each.median)
    # an engine dropped after a lucky or unlucky first block must not win on fewer blocks
    most = max(len(s) for s in seconds.values())
    full = [m for m in found if len(m.seconds) == most and m.name not in judged]
    return Choice(full[0].name, built[full[0].name], (*found, *refused))


def worst_error(job: Job, made: Engine) -> float:
    """The largest relative error to eager, on random pictures and on real ones if there are."""
    fed = [random_pixels(job.shape, seed) for seed in range(2)]
    real = job.network.real
    if real is not None and len(real) >= job.batch:
        fed.append(real[: job.batch])
    return max(relative_error(made(pixels), job.network.eager(pixels)) for pixels in fed)


def measure(
    job: Job, built: dict[str, Engine], block: float, hopeless: float
) -> dict[str, list[float]]:
    """Seconds a call of each engine, in blocks that alternate; hopeless ones are soon left out."""
    pixels = random_pixels(job.shape)
    seconds: dict[str, list[float]] = {name: [] for name in built}
    calls = {name: max(1, round(block / _warm(made, pixels))) for name, made in built.items()}
    left = list(built)
    for _ in range(ROUNDS):
        for name in left:
            started = time.perf_counter()
            for _call in range(calls[name]):
                built[name](pixels)
            seconds[name].append((time.perf_counter() - started) / calls[name])
        best = min(statistics.median(seconds[name]) for name in left)
        left = [n for n in left if statistics.median(seconds[n]) <= hopeless * best]
    return seconds


def _warm(made: Engine, pixels: Array) -> float:
    """Seconds of a call after two that are not counted."""
    for _ in range(3):
        started = time.perf_counter()
        made(pixels)
        took = time.perf_counter() - started
    return max(took, 1e-7)
