"""Whole requests to the application, in this process."""

import asyncio
import gc
from typing import Any

import numpy as np
import pytest
from asgi import alive, ask, form
from asked import PNG, Held, Make, post, sample, together
from noise import encoded

from convatlas.runtime.classifier import Classifier
from convatlas.serving.app import app


def test_answers_equal_the_classifiers(
    make: Make, classifier: Classifier, files: list[bytes]
) -> None:
    """To 1e-5: a batch adds the same products in another order than one picture does."""
    body, headers = form(*[(f"{i}.png", blob) for i, blob in enumerate(files)])
    kinds = ("image/png", "image/jpeg", "image/webp", "image/bmp")
    alone = [post([f], {"content-type": k}, "?top=10") for f, k in zip(files, kinds, strict=True)]
    answers = together(make(), post([body], headers, "?top=10"), *alone)
    assert [a.status for a in answers] == [200] * 5
    assert all(a.headers["content-type"] == "application/json" for a in answers)
    found = answers[0].json["predictions"] + [a.json["predictions"][0] for a in answers[1:]]
    assert [p["name"] for p in found] == ["0.png", "1.png", "2.png", "3.png", *[None] * 4]
    for prediction, blob in zip(found, files * 2, strict=True):
        expected = classifier.probabilities(classifier.decode(blob))[0]
        given = np.zeros(10)
        for guess in prediction["guesses"]:
            given[guess["index"]] = guess["probability"]
            assert guess["class"] == classifier.label(guess["index"])
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-7)
        order = [guess["probability"] for guess in prediction["guesses"]]
        assert order == sorted(order, reverse=True)
        assert prediction["error"] is None


def test_requests_made_at_once_share_batches(make: Make, files: list[bytes]) -> None:
    service = make(max_wait=1, max_batch=4)
    answers = together(service, *[post([files[0]])] * 8)
    assert {a.status for a in answers} == {200}
    assert len({a.body for a in answers}) == 1
    assert sample(service, "batch_size_sum") == 8
    assert 2 <= sample(service, "batch_size_count") < 8


def test_one_broken_picture_among_several_has_its_reason(make: Make, files: list[bytes]) -> None:
    body, headers = form(("good", files[0]), ("cut", files[1][:200]), ("text", b"hello"))
    (answer,) = together(make(), post([body], headers))
    assert answer.status == 200
    good, cut, text = answer.json["predictions"]
    assert len(good["guesses"]) == 5
    assert (cut["guesses"], text["guesses"]) == ([], [])
    assert "broken or cut off" in cut["error"]
    assert "not a JPEG" in text["error"]


@pytest.mark.parametrize(
    ("blob", "said"),
    [(b"", "empty"), (b"hello", "not a JPEG"), (encoded(0)[:100], "broken or cut off")],
)
def test_a_single_broken_one_is_422(make: Make, blob: bytes, said: str) -> None:
    body, headers = form(("x", blob))
    for answer in together(make(), post([blob]), post([body], headers)):
        assert answer.status == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert said in answer.json["detail"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_pixels_are_counted_before_they_are_decoded(
    make: Make, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make(max_pixels=1000)
    (few,) = together(service, post([encoded(0, 40, 25, kind)]))
    assert few.status == 200

    def load(_image: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    service = make(max_pixels=1000)
    many, still_few = together(
        service, post([encoded(0, 40, 26, kind)]), post([encoded(0, 40, 25, kind)])
    )
    assert many.status == 422
    assert "40 x 26 is more than 1000 pixels" in many.json["detail"]
    assert "decoded" in still_few.json["detail"]  # so that would have been noticed


@pytest.mark.parametrize("top", ["0", "-1", "x", "1.5", "", "1&top=2", "٣", "1_0", "01"])
def test_top_is_a_number_given_once(make: Make, top: str, files: list[bytes]) -> None:
    (answer,) = together(make(), post(files[:1], PNG, f"?top={top}"))
    assert answer.status == 400
    assert "a number from 1 on" in answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "name"), [("tpo=2", "tpo"), ("top=2&tpo=2", "tpo"), ("Top=2", "Top"), ("x", "x")]
)
def test_a_parameter_that_there_is_not_is_named(
    make: Make, query: str, name: str, files: list[bytes]
) -> None:
    (answer,) = together(make(), post(files[:1], query=f"?{query}"))
    assert answer.status == 400
    assert answer.json["detail"] == f"there is no parameter {name!r}; the only one is top"


@pytest.mark.parametrize("top", ["11", "999999999", "9" * 20, "1" + "0" * 5000])
def test_more_than_there_are_classes_is_all(make: Make, top: str, files: list[bytes]) -> None:
    (answer,) = together(make(), post(files[:1], PNG, f"?top={top}"))
    assert len(answer.json["predictions"][0]["guesses"]) == 10


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "image/gif"},
        {"content-type": "\xff;;=,"},
        {"content-type": "image/png", "content-encoding": "gzip"},
    ],
)
def test_other_content_is_415(make: Make, headers: dict[str, str], files: list[bytes]) -> None:
    (answer,) = together(make(), post(files[:1], headers))
    assert answer.status == 415
    assert "send " in answer.json["detail"]


def test_size_is_bounded_whatever_is_claimed(make: Make) -> None:
    service = make(max_bytes=1000)
    parts, headers = form(("x", b"0" * 990))
    answers = together(
        service,
        post([], PNG | {"content-length": "1001"}),
        post([], PNG | {"content-length": "9" * 5000}),
        post([b"0" * 600, b"0" * 401]),  # chunked
        post([b"0" * 1001], PNG | {"content-length": "5"}),
        post([b"0" * 1001], PNG | {"content-length": "-7"}),
        post([parts], headers),
        {**post([b"0" * 1001], PNG), "unfinished": True},
    )
    assert [a.status for a in answers] == [413] * 7
    assert "larger than 1000 bytes" in answers[0].json["detail"]
    (whole,) = together(make(max_bytes=1000), post([b"0" * 1000]))
    assert whole.status == 422


def test_bodies_in_memory_are_bounded_together(make: Make) -> None:
    service = make(max_bytes=1000, timeout=0.5)
    waiting = [{**post([b"0" * 1000]), "unfinished": True}] * 16
    answers = together(service, *waiting, post([b"0"]))
    assert [a.status for a in answers] == [408] * 16 + [503]
    assert answers[-1].headers["retry-after"] == "1"
    (after,) = together(make(max_bytes=1000), post([b"0"]))
    assert after.status == 422
    service.budget.take(16_000)  # all was given back


def test_too_many_pictures_are_413(make: Make) -> None:
    body, headers = form(*[("x", b"0")] * 3)
    (answer,) = together(make(max_pictures=2), post([body], headers))
    assert answer.status == 413


def test_a_slow_body_is_408(make: Make) -> None:
    (answer,) = together(make(timeout=0.05), {**post([b"x"]), "unfinished": True})
    assert answer.status == 408


async def _busy(held: Held) -> None:
    assert await asyncio.to_thread(held.entered.wait, 60)


def test_a_full_queue_is_503_and_says_when_to_come_back(
    make: Make, held: Held, files: list[bytes]
) -> None:
    service = make(run=held, queue=2, max_pictures=2)
    held.armed = True
    both, headers = form(("a", files[0]), ("b", files[0]))

    async def story() -> None:
        served = app(service)
        async with alive(served):
            first = asyncio.create_task(ask(served, **post(files[:1])))
            await _busy(held)
            two = await ask(served, **post([both], headers))
            assert two.status == 503
            second = asyncio.create_task(ask(served, **post(files[:1])))
            while service.batcher.held < 2:
                await asyncio.sleep(0.001)
            third = await ask(served, **{**post(files[:1]), "unfinished": True})  # not even read
            assert third.status == 503
            assert int(third.headers["retry-after"]) >= 1
            held.free.set()
            assert ((await first).status, (await second).status) == (200, 200)
            assert (await ask(served, **post([both], headers))).status == 200

    asyncio.run(asyncio.wait_for(story(), 60))
    assert 'convatlas_rejected_total{why="queue"} 2.0' in service.metrics.text().decode()


def test_a_late_answer_is_504_and_what_was_not_begun_is_not_run(
    make: Make, held: Held, files: list[bytes]
) -> None:
    service = make(run=held, timeout=1.5)
    held.armed = True

    async def story() -> None:
        served = app(service)
        async with alive(served):
            first = asyncio.create_task(ask(served, **post(files[:1])))
            await _busy(held)
            second = await ask(served, **post(files[:1]))
            assert ((await first).status, second.status) == (504, 504)
            held.free.set()
            assert (await ask(served, **post(files[:1]))).status == 200
            assert service.batcher.held == 0

    asyncio.run(asyncio.wait_for(story(), 60))
    assert held.pictures == 2  # of three


def test_the_work_of_a_client_that_goes_away_is_dropped(
    make: Make, held: Held, files: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    service = make(run=held)
    held.armed = True

    async def story() -> None:
        served, leaving = app(service), asyncio.Event()
        async with alive(served):
            first = asyncio.create_task(ask(served, **post(files[:1])))
            await _busy(held)
            second = asyncio.create_task(ask(served, **post(files[:1]), leaving=leaving))
            while service.batcher.held < 2:
                await asyncio.sleep(0.001)
            leaving.set()
            assert (await second).status == 0
            assert service.batcher.held == 1
            held.free.set()
            assert (await first).status == 200

    asyncio.run(asyncio.wait_for(story(), 60))
    gc.collect()  # asyncio complains of forgotten exceptions when it finds them
    assert "never retrieved" not in caplog.text
    assert held.pictures == 1
    assert 'path="/predict",status="499"} 1.0' in service.metrics.text().decode()


def test_a_client_that_goes_away_while_sending_is_no_error(make: Make) -> None:
    async def story() -> None:
        service, leaving = make(), asyncio.Event()
        leaving.set()
        served = app(service)
        async with alive(served):
            gone = await ask(served, **post([b"x"]), leaving=leaving, unfinished=True)
            assert gone.status == 0

    asyncio.run(asyncio.wait_for(story(), 60))


def test_many_at_once_all_get_their_own_answer(make: Make, classifier: Classifier) -> None:
    blobs = [encoded(seed) for seed in range(40)]
    answers = together(make(max_batch=8), *[post([blob], PNG, "?top=1") for blob in blobs])
    for blob, answer in zip(blobs, answers, strict=True):
        expected = classifier.probabilities(classifier.decode(blob))[0]
        (guess,) = answer.json["predictions"][0]["guesses"]
        assert guess["index"] == expected.argmax()


def test_a_connection_that_takes_no_answer_is_no_error(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    service = make()

    async def send(_message: object) -> None:
        raise RuntimeError("a chunk was no chunk")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def story() -> None:
        served = app(service)
        async with alive(served):
            for path in ("/healthz", "/none", "/predict"):
                scope = {"type": "http", "method": "GET", "path": path, "headers": []}
                await served(scope, receive, send)

    asyncio.run(asyncio.wait_for(story(), 60))
    assert "ERROR" not in [record.levelname for record in caplog.records]
