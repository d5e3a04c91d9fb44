import time

import pytest
from runnable import network

from convatlas.errors import UserError
from convatlas.runtime import auto, engines
from convatlas.runtime.engines import Maker
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.network import Array


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One engine that is wrong, one that is right and slow, one that breaks."""

    def wrong(job: Job) -> Engine:
        return lambda pixels: job.network.eager(pixels) * 2

    def slow(job: Job) -> Engine:
        def run(pixels: Array) -> Array:
            time.sleep(0.02)
            return job.network.eager(pixels)

        return run

    def broken(job: Job) -> Engine:
        raise RuntimeError("out of order")

    for name, build in (("wrong", wrong), ("slow", slow), ("broken", broken)):
        monkeypatch.setitem(engines.ENGINES, name, Maker(build, "torch"))


@pytest.mark.usefixtures("made_up")
def test_the_fastest_equal_engine_is_kept() -> None:
    job = Job(network=network("lenet-bn"))
    choice = auto.choose(job, ("slow", "wrong", "broken", "eager"), block=0.01)
    assert choice.name == "eager"
    by_name = {each.name: each for each in choice.measured}
    assert "relative error" in str(by_name["wrong"].refused)
    assert by_name["broken"].refused == "out of order"
    assert len(by_name["slow"].seconds) == 1  # given up after a round
    assert len(by_name["eager"].seconds) == auto.ROUNDS


@pytest.mark.usefixtures("made_up")
def test_none_left_is_an_error() -> None:
    with pytest.raises(UserError, match="no engine runs lenet-bn: relative error"):
        auto.choose(Job(network=network("lenet-bn")), ("wrong",), block=0.01)


def test_a_misspelt_engine_is_an_error() -> None:
    with pytest.raises(UserError, match="did you mean 'openvino'"):
        auto.choose(Job(network=network("lenet-bn")), ("openvin",), block=0.01)
