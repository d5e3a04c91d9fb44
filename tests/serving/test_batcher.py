"""The batcher with an engine that can be held up. Nothing asserts a time: what must not wait is
given hours to wait for, and the test would hang."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Sequence

import pytest

from convatlas.serving.batcher import Batcher, EngineFailed, Full, Place, Stopped

HOURS = 10_000.0


class Engine:
    """Negates numbers, notes the batches, and can be held up."""

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Event()
        self.entered = threading.Event()
        self.threads: set[int] = set()
        if not held:
            self.free.set()

    def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.threads.add(threading.get_ident())
        self.batches.append(list(items))
        self.entered.set()
        assert self.free.wait(60)
        return [-item for item in items]


class Running:
    """A batcher at work for the length of a test."""

    def __init__(
        self, engine: object, *, most: int = 4, wait: float = HOURS, places: int = 100
    ) -> None:
        self.sizes: list[int] = []
        self.batcher: Batcher[int, int] = Batcher(
            engine,  # type: ignore[arg-type]  # some engines here break the contract
            most=most,
            wait=wait,
            places=places,
            observe=lambda size, _seconds: self.sizes.append(size),
        )

    async def __aenter__(self) -> Batcher[int, int]:
        self.work = asyncio.create_task(self.batcher.work())
        return self.batcher

    async def __aexit__(self, *_: object) -> None:
        self.work.cancel()
        await asyncio.gather(self.work, return_exceptions=True)


async def one(batcher: Batcher[int, int], item: int) -> int:
    (place,) = batcher.claim(1)
    try:
        return await place.answer(item)
    finally:
        place.give_back()


async def until(engine: Engine) -> None:
    """The engine has a batch in hand."""
    assert await asyncio.to_thread(engine.entered.wait, 60)


def test_alone_on_an_idle_engine_nobody_waits() -> None:
    async def story() -> None:
        engine = Engine()
        async with Running(engine, wait=HOURS) as batcher:
            assert [await one(batcher, item) for item in (1, 2, 3)] == [-1, -2, -3]
        assert engine.batches == [[1], [2], [3]]

    asyncio.run(asyncio.wait_for(story(), 60))


def test_batches_form_while_the_engine_is_busy_in_order_and_never_too_large() -> None:
    async def story() -> None:
        engine, running = Engine(held=True), None
        running = Running(engine, most=4)
        async with running as batcher:
            first = asyncio.create_task(one(batcher, 0))
            await until(engine)
            rest = [asyncio.create_task(one(batcher, item)) for item in range(1, 10)]
            await asyncio.sleep(0)
            assert batcher.held == 10
            engine.free.set()
            assert await asyncio.gather(first, *rest) == [-item for item in range(10)]
            assert batcher.held == 0
        assert engine.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]
        assert running.sizes == [1, 4, 4, 1]
        assert len(engine.threads) == 1

    asyncio.run(asyncio.wait_for(story(), 60))


def test_it_waits_for_what_was_accepted_and_is_on_its_way() -> None:
    async def story() -> None:
        engine = Engine()
        async with Running(engine) as batcher:
            places = batcher.claim(2)
            first = places[0].answer(1)
            await asyncio.sleep(0.02)
            assert engine.batches == []
            assert await places[1].answer(2) == -2
            assert await first == -1
        assert engine.batches == [[1, 2]]

    asyncio.run(asyncio.wait_for(story(), 60))


def test_but_no_longer_than_the_bound() -> None:
    async def story() -> None:
        engine = Engine()
        async with Running(engine, wait=0.01) as batcher:
            places = batcher.claim(2)
            assert await places[0].answer(1) == -1
        assert engine.batches == [[1]]

    asyncio.run(asyncio.wait_for(story(), 60))


def test_nor_for_what_will_never_come() -> None:
    async def story() -> None:
        engine = Engine()
        async with Running(engine) as batcher:
            places = batcher.claim(2)
            first = places[0].answer(1)
            await asyncio.sleep(0)
            places[1].give_back()  # it could not be decoded
            places[1].give_back()  # twice does no harm
            assert await first == -1
            places[0].give_back()
            assert batcher.held == 0

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_full_queue_takes_all_of_a_request_or_nothing() -> None:
    async def story() -> None:
        batcher: Batcher[int, int] = Batcher(Engine(), most=4, wait=0, places=3)
        places = batcher.claim(2)
        with pytest.raises(Full) as full:
            batcher.claim(2)
        assert full.value.seconds == 1  # nothing is measured yet
        assert batcher.held == 2
        places[0].give_back()
        assert len(batcher.claim(2)) == 2
        with pytest.raises(Full):
            batcher.room()

    asyncio.run(story())


def test_the_time_to_come_back_follows_from_queue_and_rate() -> None:
    def slow(items: Sequence[int]) -> Sequence[int]:
        time.sleep(0.05)  # so at most 20 a second
        return items

    async def story() -> None:
        async with Running(slow, most=1, places=10_000) as batcher:
            await one(batcher, 1)
            batcher.claim(60)
            assert 3 <= batcher.seconds_to_clear() <= 120
            batcher.claim(9_000)
            assert batcher.seconds_to_clear() == 120

    asyncio.run(asyncio.wait_for(story(), 60))


def test_what_is_cancelled_before_its_batch_begins_is_not_run() -> None:
    async def story() -> None:
        engine = Engine(held=True)
        async with Running(engine) as batcher:
            first = asyncio.create_task(one(batcher, 0))
            await until(engine)
            rest = [asyncio.create_task(one(batcher, item)) for item in (1, 2, 3)]
            await asyncio.sleep(0)
            rest[1].cancel()
            first.cancel()  # its batch runs already; its answer is dropped
            await asyncio.sleep(0)
            assert batcher.held == 2
            engine.free.set()
            assert await asyncio.gather(rest[0], rest[2]) == [-1, -3]
        assert engine.batches == [[0], [1, 3]]

    asyncio.run(asyncio.wait_for(story(), 60))


def test_if_all_are_cancelled_nothing_runs_and_the_next_does() -> None:
    async def story() -> None:
        engine = Engine(held=True)
        async with Running(engine) as batcher:
            first = asyncio.create_task(one(batcher, 0))
            await until(engine)
            second = asyncio.create_task(one(batcher, 1))
            await asyncio.sleep(0)
            second.cancel()
            engine.free.set()
            assert await first == 0
            assert await one(batcher, 2) == -2
        assert engine.batches == [[0], [2]]

    asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.parametrize(
    "failure", [ValueError, StopIteration, MemoryError, TimeoutError, SystemExit]
)
def test_a_failing_engine_fails_its_batch_and_the_next_goes_on(
    failure: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def engine(items: Sequence[int]) -> Sequence[int]:
        if 13 in items:
            raise failure("no")
        return items

    async def story() -> None:
        async with Running(engine) as batcher:
            places = batcher.claim(2)
            both = [places[0].answer(13), places[1].answer(1)]
            found = await asyncio.gather(*both, return_exceptions=True)
            assert [type(each) for each in found] == [EngineFailed] * 2
            assert await one(batcher, 7) == 7

    asyncio.run(asyncio.wait_for(story(), 60))
    assert "a batch of 2 failed" in caplog.text


def test_an_engine_with_the_wrong_number_of_answers_has_failed() -> None:
    async def story() -> None:
        async with Running(lambda items: [1, 2, 3]) as batcher:
            with pytest.raises(EngineFailed):
                await one(batcher, 1)

    asyncio.run(asyncio.wait_for(story(), 60))


def test_once_stopped_what_waits_and_what_comes_is_refused() -> None:
    async def story() -> None:
        engine = Engine(held=True)
        async with Running(engine) as batcher:
            first = asyncio.create_task(one(batcher, 0))
            await until(engine)
            second = asyncio.create_task(one(batcher, 1))
            late: tuple[Place[int, int], ...] = batcher.claim(1)
            await asyncio.sleep(0)
            batcher.stop()
            with pytest.raises(Stopped):
                await second
            with pytest.raises(Stopped):
                await late[0].answer(2)
            engine.free.set()
            assert await first == 0  # it was running
        assert engine.batches == [[0]]

    asyncio.run(asyncio.wait_for(story(), 60))


def test_what_is_given_back_is_not_held_until_the_engine_returns() -> None:
    class Picture:
        pass

    async def story() -> None:
        free, entered = threading.Event(), threading.Event()

        def engine(items: Sequence[Picture]) -> Sequence[int]:
            entered.set()
            assert free.wait(60)
            return [0] * len(items)

        batcher: Batcher[Picture, int] = Batcher(engine, most=1, wait=0, places=9)
        work = asyncio.create_task(batcher.work())
        places, pictures = batcher.claim(3), [Picture() for _ in range(3)]
        held = [weakref.ref(picture) for picture in pictures]
        answers = [p.answer(picture) for p, picture in zip(places, pictures, strict=True)]
        pictures.clear()
        assert await asyncio.to_thread(entered.wait, 60)
        places[1].give_back()
        gc.collect()
        assert [ref() is None for ref in held] == [False, True, False]
        assert answers[1].cancelled()
        free.set()
        assert await asyncio.gather(answers[0], answers[2]) == [0, 0]
        work.cancel()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_if_it_fails_itself_it_says_so_and_refuses_all(caplog: pytest.LogCaptureFixture) -> None:
    """Here by what it tells of each batch; whatever it is, nobody may wait for ever."""

    async def story() -> None:
        def full(_size: int, _seconds: float) -> None:
            raise OSError("no space left")

        batcher: Batcher[int, int] = Batcher(
            lambda items: items, most=1, wait=0, places=9, observe=full
        )
        work = asyncio.create_task(batcher.work())
        places = batcher.claim(3)
        both = [places[0].answer(1), places[1].answer(2)]
        found = await asyncio.gather(*both, return_exceptions=True)
        assert [type(each) for each in found] == [Stopped] * 2
        await work
        assert batcher.failed
        with pytest.raises(Stopped):
            await places[2].answer(3)
        assert batcher.held == 0

    asyncio.run(asyncio.wait_for(story(), 60))
    assert "no more batches are run" in caplog.text
    assert "no space left" in caplog.text


def test_so_it_does_if_a_batch_cannot_even_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(_place: Place[int, int]) -> int:
        raise MemoryError

    async def story() -> None:
        async with Running(Engine()) as batcher:
            monkeypatch.setattr(Place, "take", take)
            with pytest.raises(Stopped):
                await one(batcher, 1)
            assert batcher.failed

    asyncio.run(asyncio.wait_for(story(), 60))


def test_so_it_does_if_no_thread_can_be_had_for_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def story() -> None:
        engine = Engine()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            async with Running(engine) as batcher:
                await asyncio.sleep(0)
                assert batcher.failed
                with pytest.raises(Stopped):
                    await one(batcher, 1)
        assert engine.batches == []

    asyncio.run(asyncio.wait_for(story(), 60))


def test_it_says_how_long_a_batch_runs() -> None:
    async def story() -> None:
        engine = Engine(held=True)
        async with Running(engine) as batcher:
            assert batcher.running_for == 0
            first = asyncio.create_task(one(batcher, 0))
            await until(engine)
            before = batcher.running_for
            assert before > 0
            await asyncio.sleep(0.01)
            assert batcher.running_for > before
            engine.free.set()
            await first
            assert batcher.running_for == 0
            assert not batcher.failed

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_quick_engine_is_called_in_the_loop_and_the_same_holds() -> None:
    async def story() -> None:
        engine = Engine()
        batcher: Batcher[int, int] = Batcher(engine, most=4, wait=HOURS, places=9, quick=True)
        work = asyncio.create_task(batcher.work())
        await asyncio.sleep(0)
        places = batcher.claim(6)
        answers = [place.answer(number) for number, place in enumerate(places)]
        places[2].give_back()
        assert await asyncio.gather(*answers[:2], *answers[3:]) == [0, -1, -3, -4, -5]
        assert engine.batches == [[0, 1, 3, 4], [5]]
        assert engine.threads == {threading.get_ident()}
        assert (batcher.held, batcher.running_for) == (0, 0)
        work.cancel()

    asyncio.run(asyncio.wait_for(story(), 60))
