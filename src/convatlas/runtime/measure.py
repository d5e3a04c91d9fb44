"""Seconds a call of several engines, measured in turn; imports no torch."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Pixels = TypeVar("Pixels")  # pictures as the engines take them
Tell = Callable[[str], None]  # what is being done now, in a few words
BLOCK = 0.3  # seconds of one measurement; shorter ones rank engines by luck
ROUNDS = 5
HOPELESS = 1.5  # times the best median after a round, and an engine is measured no more
BUDGET = 120.0  # seconds after which no further engine is built
LIMIT = 120.0  # seconds of measuring after which no further round is begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is done to find the fastest: seconds of a block, and for building all engines.

    ``hopeless``: how many times slower than the best an engine may be and still be measured.
    ``limit``: seconds for measuring; no round but the first is begun that would not end by then.
    """

    block: float = BLOCK
    rounds: int = ROUNDS
    budget: float = BUDGET
    hopeless: float = HOPELESS
    limit: float = LIMIT


FULL = Effort()


def untold(_: str) -> None:
    """Nobody asks how far it has come."""


def measure(
    built: Mapping[str, Callable[[Pixels], object]],
    pixels: Pixels,
    effort: Effort,
    tell: Tell = untold,
) -> dict[str, list[float]]:
    """Seconds a call of each engine, in blocks that alternate; hopeless ones are soon left out.

    All that were never hopeless have the same number of blocks, fewer than the rounds where the
    limit was reached.
    """
    seconds: dict[str, list[float]] = {name: [] for name in built}
    started = time.perf_counter()
    for name, made in built.items():
        tell(f"warming up {name}")
        _warm(made, pixels, effort.block)
    left, begun = list(built), time.perf_counter()
    for done in range(effort.rounds):
        for name in left:
            tell(f"measuring {name}, block {done + 1} of {effort.rounds}")
            seconds[name].append(block_of(built[name], pixels, effort.block))
        best = min(statistics.median(seconds[name]) for name in left)
        left = [n for n in left if statistics.median(seconds[n]) <= effort.hopeless * best]
        ended = time.perf_counter()
        if ended - started + (ended - begun) > effort.limit:  # a round more, if as long as this one
            break
        begun = ended
    return seconds


def block_of(made: Callable[[Pixels], object], pixels: Pixels, block: float) -> float:
    """Seconds a call, of calls until the block is over; one before it is not counted.

    The clock is looked at after every call, in some 50 ns: a number of calls fixed beforehand would
    take minutes if the machine got busy after it was chosen.
    """
    made(pixels)  # as others ran since
    calls, took, started = 0, 0.0, time.perf_counter()
    while took < block or not calls:
        made(pixels)
        calls += 1
        took = time.perf_counter() - started
    return took / calls


def _warm(made: Callable[[Pixels], object], pixels: Pixels, block: float) -> None:
    """Three calls that are not counted, or fewer if they take longer than a block."""
    started = time.perf_counter()
    for _ in range(3):
        made(pixels)
        if time.perf_counter() - started > block:
            break
