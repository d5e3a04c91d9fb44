import time
from pathlib import Path

import pytest
import torch
from runnable import network

from convatlas.errors import UserError
from convatlas.runtime import auto, engines, measure, remembered
from convatlas.runtime.engines import Maker
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.measure import Effort
from convatlas.runtime.network import Array

QUICKLY = Effort(block=0.01)


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
        monkeypatch.setitem(engines.ENGINES, name, Maker(build=build))


@pytest.mark.usefixtures("made_up")
def test_the_fastest_equal_engine_is_kept() -> None:
    job = Job(network=network("lenet-bn"))
    choice = auto.choose(job, ("slow", "wrong", "broken", "eager"), effort=QUICKLY)
    assert choice.name == "eager"
    by_name = {each.name: each for each in choice.measured}
    assert "relative error" in str(by_name["wrong"].refused)
    assert by_name["broken"].refused == "out of order"
    assert len(by_name["slow"].seconds) == 1  # given up after a round
    assert len(by_name["eager"].seconds) == measure.ROUNDS


@pytest.mark.parametrize("works", [True, False])
def test_an_engine_outdone_by_one_that_is_equal_is_not_tried(
    works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rival(job: Job) -> Engine:
        if not works:
            raise RuntimeError("the system refuses")
        return job.network.eager

    makers = {
        "rival": Maker(build=rival),
        "outdone": Maker(build=lambda job: job.network.eager, outdone_by="rival"),
    }
    monkeypatch.setattr(engines, "ENGINES", makers)
    monkeypatch.setattr(auto, "ENGINES", makers)
    job = Job(network=network("lenet-bn"))
    by_itself = auto.choose(job, effort=QUICKLY).measured
    assert ("outdone" in {each.name for each in by_itself if each.seconds}) != works
    named = auto.choose(job, ("outdone",), effort=QUICKLY)
    assert named.name == "outdone"


@pytest.mark.usefixtures("made_up")
def test_none_left_is_an_error() -> None:
    with pytest.raises(UserError, match="lenet-bn is left without an engine: relative error"):
        auto.choose(Job(network=network("lenet-bn")), ("wrong",), effort=QUICKLY)


def test_a_network_whose_scores_are_no_numbers_has_no_engine() -> None:
    spoilt = network("lenet-bn")
    with torch.no_grad():
        next(spoilt.module.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match="no finite numbers"):
        auto.choose(Job(network=spoilt), ("eager",), effort=QUICKLY)


@pytest.mark.parametrize("names", [("openvin",), ("eager", "openvin"), ("openvin@1",)])
def test_a_misspelt_engine_is_an_error_before_any_work(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "examples_of", None)
    with pytest.raises(UserError, match="did you mean 'openvino'"):
        auto.choose(Job(network=network("lenet-bn")), names, effort=QUICKLY)


def test_a_named_engine_that_cannot_run_here_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacking = Maker(build=lambda job: job.network.eager, lacking=lambda: "there is no such chip")
    monkeypatch.setitem(engines.ENGINES, "rare", lacking)
    job = Job(network=network("lenet-bn"))
    choice = auto.choose(job, ("rare", "eager"), effort=QUICKLY)
    assert choice.name == "eager"
    said = "the engine rare cannot run here: there is no such chip"
    assert choice.measured[-1].refused == said
    with pytest.raises(UserError) as raised:
        auto.choose(job, ("rare", "rare@1"), effort=QUICKLY)
    begun = f"lenet-bn is left without an engine: {said}; "
    assert raised.value.typed == (f"{begun}name others, or leave --engines out for all there are")
    assert str(raised.value) == f"{begun}name others, or leave engines out for all there are"


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def two_engines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Eager and a slow one, and the names of those that were built."""
    built: list[str] = []

    def eager(job: Job) -> Engine:
        built.append("eager")
        return job.network.eager

    def slow(job: Job) -> Engine:
        built.append("slow")

        def run(pixels: Array) -> Array:
            time.sleep(0.02)
            return job.network.eager(pixels)

        return run

    makers = {"eager": Maker(build=eager), "slow": Maker(build=slow, patience=30)}
    monkeypatch.setattr(engines, "ENGINES", makers)
    monkeypatch.setattr(auto, "ENGINES", makers)
    return built


def test_the_choice_is_remembered(cache: Path, two_engines: list[str]) -> None:
    job = Job(network=network("lenet-bn"))
    assert auto.fastest(job, QUICKLY).measured
    two_engines.clear()
    again = auto.fastest(job, QUICKLY)
    assert (again.name, again.measured, two_engines) == ("eager", (), ["eager"])
    assert auto.fastest(job.at(2), QUICKLY).measured  # another batch is another job
    assert len(list((cache / "choices").iterdir())) == 2


def test_what_the_budget_left_out_is_tried_with_more_of_it(
    cache: Path, two_engines: list[str]
) -> None:
    job = Job(network=network("lenet-bn"))

    def tried(budget: float) -> list[str]:
        """The engines that a choice with this budget measures."""
        measured = auto.fastest(job, Effort(block=0.01, budget=budget)).measured
        return [each.name for each in measured if each.tried]

    assert tried(20) == ["eager"]
    assert tried(20) == tried(0) == []  # remembered
    assert tried(29) == ["eager"]  # 30 s are what the other one needs
    assert tried(20) == []
    assert tried(31) == ["eager", "slow"]
    assert tried(31) == tried(1000) == []  # nothing is left to be tried


@pytest.mark.parametrize("changed", ["engines", "compiler", "gpu", "onnx", "onnxruntime-gpu"])
def test_another_machine_is_another_choice(
    changed: str, cache: Path, two_engines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(network=network("lenet-bn"))
    assert auto.fastest(job, QUICKLY).measured
    if changed == "engines":
        monkeypatch.setitem(auto.ENGINES, "new", Maker(build=lambda job: job.network.eager))
    elif changed == "compiler":
        monkeypatch.setattr(auto, "compiler", lambda: "/opt/newer/g++")
    elif changed == "gpu":
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        monkeypatch.setattr("torch.cuda.get_device_name", lambda: "a GPU")
    else:
        real = remembered.version_of
        newer = {changed: "99"}
        monkeypatch.setattr(remembered, "version_of", lambda name: newer.get(name) or real(name))
    assert auto.fastest(job, QUICKLY).measured


def test_a_remembered_engine_that_is_gone_or_wrong_is_chosen_again(
    cache: Path, two_engines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(network=network("lenet-bn"))
    remembered.remember(auto.job_circumstances(job), "gone", 0.001)
    assert auto.fastest(job, QUICKLY).name == "eager"
    remembered.remember(auto.job_circumstances(job), "slow", 0.001)
    monkeypatch.setitem(auto.ENGINES, "slow", Maker(build=lambda job: lambda x: x[:, 0, 0]))
    assert auto.fastest(job, QUICKLY).name == "eager"
    recalled = remembered.recall(auto.job_circumstances(job))
    assert recalled is not None
    assert recalled.engine == "eager"


def test_damaged_memory_is_no_memory(cache: Path) -> None:
    job = Job(network=network("lenet-bn"))
    remembered.remember(auto.job_circumstances(job), "eager", 0.001)
    for file in (cache / "choices").iterdir():
        file.write_text("{")
    assert remembered.recall(auto.job_circumstances(job)) is None


def test_a_cache_that_cannot_be_written_is_no_error(cache: Path) -> None:
    (cache / "choices").write_text("a file where the folder should be")
    job = Job(network=network("lenet-bn"))
    remembered.remember(auto.job_circumstances(job), "eager", 0.001)
    assert remembered.recall(auto.job_circumstances(job)) is None


def test_the_budget_leaves_out_what_takes_long_to_build(two_engines: list[str]) -> None:
    effort = Effort(block=0.01, budget=20)
    choice = auto.choose(Job(network=network("lenet-bn")), effort=effort)
    assert two_engines == ["eager"]
    assert "not tried: of 20 s" in str(choice.measured[-1].refused)
    named = auto.choose(Job(network=network("lenet-bn")), ("slow",), effort=effort)
    assert named.name == "slow"  # who names it waits for it


def test_an_engine_on_one_thread_is_held_to_the_same_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One engine is wrong as soon as it has one thread; another cannot be built for it."""
    job = Job(network=network("lenet-bn"), threads=2)
    looked = 0

    def odd(job: Job) -> Engine:
        return lambda pixels: job.network.eager(pixels) * (3 - job.threads)

    def choosy(job: Job) -> Engine:
        if job.threads == 1:
            raise RuntimeError("too few")
        return job.network.eager

    def eager(pixels: Array) -> Array:
        nonlocal looked
        looked += 1
        return job.network.eager(pixels)

    makers = {
        "eager": Maker(build=lambda job: eager),
        "odd": Maker(build=odd, threaded=True),
        "choosy": Maker(build=choosy, threaded=True),
    }
    monkeypatch.setattr(engines, "ENGINES", makers)
    monkeypatch.setattr(auto, "ENGINES", makers)
    monkeypatch.setattr(auto, "measure", lambda built, *_: {n: [1e-4] for n in built})
    refused = {m.name: m.refused for m in auto.choose(job, effort=QUICKLY).measured if m.refused}
    assert set(refused) == {"odd@1", "choosy@1"}
    assert "relative error" in str(refused["odd@1"])
    assert refused["choosy@1"] == "too few"
    assert looked == 2  # eager as an engine, on the two examples; they are made once


def test_it_is_told_what_is_built_and_measured(cache: Path, two_engines: list[str]) -> None:
    job, told = Job(network=network("lenet-bn")), list[str]()
    auto.fastest(job, Effort(block=0.01, rounds=1), told.append)
    assert told == [
        *("running torch eager, to compare with", "building eager", "building slow, mostly 30 s"),
        *("warming up eager", "warming up slow"),
        *("measuring eager, block 1 of 1", "measuring slow, block 1 of 1"),
    ]
    told.clear()
    auto.fastest(job, tell=told.append)
    assert told == ["building eager"]  # the remembered one


def test_quick_networks_are_tried_on_one_thread_too() -> None:
    job = Job(network=network("lenet-bn"), threads=2)
    effort = Effort(block=0.01, budget=11, hopeless=float("inf"))
    names = {each.name for each in auto.choose(job, effort=effort).measured}
    assert "onnxruntime@1" in names
    error = auto.worst_error(job, auto.build("onnxruntime@1", job))
    assert error <= auto.tolerance("onnxruntime@1")
