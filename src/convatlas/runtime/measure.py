"""Seconds a call of several engines, measured in turn; imports no torch."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Pixels = TypeVar("Pixels")  # pictures as the engines take them
BLOCK = 0.3  # seconds of one measurement; shorter ones rank engines by luck
ROUNDS = 5
HOPELESS = 1.5  # times the best median after a round, and an engine is measured no more
BUDGET = 120.0  # seconds after which no further engine is built


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is done to find the fastest: seconds of a block, and for building all engines.

    ``hopeless``: how many times slower than the best an engine may be and still be measured.
    """

    block: float = BLOCK
    rounds: int = ROUNDS
    budget: float = BUDGET
    hopeless: float = HOPELESS


FULL = Effort()


def measure(
    built: Mapping[str, Callable[[Pixels], object]], pixels: Pixels, effort: Effort
) -> dict[str, list[float]]:
    """Seconds a call of each engine, in blocks that alternate; hopeless ones are soon left out."""
    seconds: dict[str, list[float]] = {name: [] for name in built}
    calls = {n: math.ceil(effort.block / _warm(made, pixels)) for n, made in built.items()}
    left = list(built)
    for _ in range(effort.rounds):
        for name in left:
            seconds[name].append(block_of(built[name], pixels, calls[name]))
        best = min(statistics.median(seconds[name]) for name in left)
        left = [n for n in left if statistics.median(seconds[n]) <= effort.hopeless * best]
    return seconds


def block_of(made: Callable[[Pixels], object], pixels: Pixels, calls: int) -> float:
    """Seconds a call of a block; one call before it is not counted, as others ran since."""
    made(pixels)
    started = time.perf_counter()
    for _ in range(calls):
        made(pixels)
    return (time.perf_counter() - started) / calls


def _warm(made: Callable[[Pixels], object], pixels: Pixels) -> float:
    """Seconds of a call after two that are not counted."""
    for _ in range(3):
        started = time.perf_counter()
        made(pixels)
        took = time.perf_counter() - started
    return max(took, 1e-7)
