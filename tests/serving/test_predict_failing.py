"""``POST /predict`` when the engine, the memory or a client fails."""

import asyncio
import threading

import numpy as np
import pytest
from asgi import alive, ask, form
from asked import Held, Make, all_of, left, picture, post, sample, together
from noise import encoded
from PIL import ImageFile

from convatlas.runtime.classifier import Pictures
from convatlas.serving.app import app
from convatlas.serving.budget import Sent


def test_a_failing_engine_is_500_without_its_words(
    make: Make, files: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    broken: list[bool] = []

    def engine(fed: np.ndarray) -> np.ndarray:
        if broken:
            raise RuntimeError("/secret/path")
        return np.zeros((len(fed), 10), np.float32)

    service = make(run=engine)
    broken.append(True)
    body, headers = form(("a", files[0]), ("b", files[1]))
    for answer in together(service, post(files[:1]), post([body], headers)):
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert answer.headers["content-type"] == "application/problem+json"
    assert "/secret/path" in caplog.text


def test_scores_that_are_no_numbers_are_an_error_of_that_picture_alone(
    make: Make, held: Held, files: list[bytes]
) -> None:
    """Whoever else was in its batch is answered."""

    def engine(fed: np.ndarray) -> np.ndarray:
        scores = held(fed)
        bright = fed.mean((1, 2, 3)) > 0
        scores[bright] = np.nan
        return scores

    white, black = picture(255), picture(0)
    service = make(run=engine, max_wait=1)
    body, headers = form(("a", white), ("b", black))
    alone, form_, *others = together(
        service, post([white]), post([body], headers), *[post([black])] * 4
    )
    assert sample(service, "batch_size_count") < 7  # they did share
    assert alone.status == 500
    assert "no numbers" in alone.json["detail"]
    assert form_.status == 200
    a, b = form_.json["predictions"]
    assert (a["guesses"], len(b["guesses"]), b["error"]) == ([], 5, None)
    assert "no numbers" in a["error"]
    assert [answer.status for answer in others] == [200] * 4


def test_no_memory_for_decoding_is_503_and_not_the_clients_fault(
    make: Make, files: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_image: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    service = make()
    big = encoded(0, 400, 300)  # decoded in a thread
    for answer in together(service, post(files[:1]), post([big])):
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
    assert sample(service, 'rejected_total{why="decoding"}') == 2
    assert sample(service, "decode_errors_total") == 0
    assert service.batcher.held == 0
    service.budget.take(all_of(service))


def test_bodies_count_until_they_are_decoded_also_of_clients_that_left(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one decoder at work, what waits for it is dropped at once, and what it has, later."""
    entered, free = threading.Event(), threading.Event()
    blobs = [encoded(seed, 400, 300) for seed in range(4)]
    whole = ImageFile.ImageFile.load

    def load(image: ImageFile.ImageFile) -> object:
        entered.set()
        assert free.wait(60)
        return whole(image)

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    service = make()
    most = all_of(service)

    async def story() -> None:
        served, leaving = app(service), asyncio.Event()
        async with alive(served):
            asks = [
                asyncio.create_task(ask(served, **post([blob]), leaving=leaving)) for blob in blobs
            ]
            assert await asyncio.to_thread(entered.wait, 60)
            while service.batcher.held < 4:
                await asyncio.sleep(0.001)
            assert left(service) == most - sum(map(len, blobs))
            leaving.set()
            await asyncio.gather(*asks)
            assert service.batcher.held == 0
            while left(service) != most - len(blobs[0]):  # what was never begun is gone
                await asyncio.sleep(0.001)
            free.set()
            while left(service) < most:
                await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(story(), 60))


def test_if_batches_fail_for_good_nobody_waits_and_it_is_not_ready(
    make: Make, files: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    monkeypatch.setattr(service.batcher, "_observe", None)

    async def story() -> None:
        served = app(service)
        async with alive(served):
            assert (await ask(served, "/readyz")).status == 200
            first = await ask(served, **post(files[:1]))
            second = await ask(served, **post(files[:1]))
            assert (first.status, second.status) == (503, 503)
            assert "stopping" in second.json["detail"]
            assert (await ask(served, "/readyz")).status == 503
            assert (await ask(served, "/healthz")).status == 200

    asyncio.run(asyncio.wait_for(story(), 60))
    assert sample(service, 'rejected_total{why="stopped"}') == 2


def test_if_no_thread_can_be_had_nothing_is_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    begun = service.decoders.begin
    left_to_begin = [begun]

    def begin(sent: Sent) -> asyncio.Future[Pictures]:
        if not left_to_begin:
            raise RuntimeError("can't start new thread")
        return left_to_begin.pop()(sent)

    monkeypatch.setattr(service.decoders, "begin", begin)
    body, headers = form(*[("x", encoded(seed, 400, 300)) for seed in range(3)])

    async def story() -> None:
        served = app(service)
        async with alive(served):
            assert (await ask(served, **post([body], headers))).status == 500
            assert service.batcher.held == 0
            while left(service) < all_of(service):  # the first is being decoded
                await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(story(), 60))


def test_while_the_engine_hangs_it_is_not_ready(make: Make, held: Held, files: list[bytes]) -> None:
    service = make(run=held, timeout=0.2)
    held.armed = True

    async def story() -> None:
        served = app(service)
        async with alive(served):
            while not held.entered.is_set():  # on a loaded machine it may be late before its batch
                assert (await ask(served, **post(files[:1]))).status == 504
            while (ready := await ask(served, "/readyz")).status == 200:
                await asyncio.sleep(0.001)  # not longer than the timeout yet
            assert ready.status == 503
            assert "the engine has not answered" in ready.json["detail"]
            held.free.set()
            while service.batcher.running_for:
                await asyncio.sleep(0.001)
            assert (await ask(served, "/readyz")).status == 200

    asyncio.run(asyncio.wait_for(story(), 60))
