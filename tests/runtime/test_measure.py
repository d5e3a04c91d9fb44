import statistics

import numpy as np
import pytest

from convatlas.runtime import measure
from convatlas.runtime.measure import Effort


class Clock:
    """Time that passes only while an engine computes."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def engine(self, seconds: float) -> "tuple[list[float], object]":
        """One that takes so long, and when each of its calls ended."""
        ends: list[float] = []

        def run(pixels: object) -> None:
            self.now += seconds
            ends.append(self.now)

        return ends, run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(measure, "time", made)
    return made


@pytest.mark.parametrize("call", [1 / 64, 3 / 16, 15 / 64, 1 / 4, 2])
def test_no_block_is_shorter_than_it_should_be(call: float, clock: Clock) -> None:
    ends, run = clock.engine(call)
    effort = Effort(block=0.25, rounds=4)
    [seconds] = measure.measure({"one": run}, np.zeros(1), effort).values()  # type: ignore[dict-item]
    assert seconds == [call] * 4
    warm = next(calls for calls in (1, 2, 3) if calls * call > 0.25 or calls == 3)
    counted = (len(ends) - warm - 4) / 4  # after those to warm up; one before each block is not
    assert (counted - 1) * call < 0.25 <= counted * call


def test_the_hopeless_are_left_out_after_a_round(clock: Clock) -> None:
    made = {name: clock.engine(call)[1] for name, call in (("quick", 0.1), ("slow", 0.2))}
    seconds = measure.measure(made, np.zeros(1), Effort(rounds=3))  # type: ignore[arg-type]
    assert {name: len(taken) for name, taken in seconds.items()} == {"quick": 3, "slow": 1}
    assert statistics.median(seconds["slow"]) == pytest.approx(0.2)


def test_a_machine_that_gets_busy_does_not_prolong_a_block(clock: Clock) -> None:
    """A call of 1/1024 s takes 1/2 s from the fourth on."""
    calls = 0

    def run(pixels: object) -> None:
        nonlocal calls
        calls += 1
        clock.now += 1 / 1024 if calls <= 3 else 1 / 2

    seconds = measure.measure({"one": run}, np.zeros(1), Effort(block=0.25, rounds=2))
    assert seconds == {"one": [0.5, 0.5]}
    assert clock.now == 3 / 1024 + 2 * (0.5 + 0.5)


def test_no_round_is_begun_that_would_pass_the_limit(clock: Clock) -> None:
    made = {name: clock.engine(1)[1] for name in ("one", "other")}
    effort = Effort(block=1, limit=12)  # 2 calls to warm up each, then rounds of 4 s
    seconds = measure.measure(made, np.zeros(1), effort)  # type: ignore[arg-type]
    assert {name: len(taken) for name, taken in seconds.items()} == {"one": 2, "other": 2}
    assert clock.now == 12
    first = measure.measure(made, np.zeros(1), Effort(block=1, limit=0))  # type: ignore[arg-type]
    assert {name: len(taken) for name, taken in first.items()} == {"one": 1, "other": 1}


def test_it_is_told_what_is_measured(clock: Clock) -> None:
    told: list[str] = []
    _, run = clock.engine(1)
    measure.measure({"one": run}, np.zeros(1), Effort(rounds=2), told.append)  # type: ignore[dict-item]
    assert told == [
        *("warming up one", "measuring one, block 1 of 2", "measuring one, block 2 of 2"),
    ]
