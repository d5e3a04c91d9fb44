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
    counted = (len(ends) - 3 - 4) / 4  # three to warm up, and one before each block
    assert (counted - 1) * call < 0.25 <= counted * call


def test_the_hopeless_are_left_out_after_a_round(clock: Clock) -> None:
    made = {name: clock.engine(call)[1] for name, call in (("quick", 0.1), ("slow", 0.2))}
    seconds = measure.measure(made, np.zeros(1), Effort(rounds=3))  # type: ignore[arg-type]
    assert {name: len(taken) for name, taken in seconds.items()} == {"quick": 3, "slow": 1}
    assert statistics.median(seconds["slow"]) == pytest.approx(0.2)
