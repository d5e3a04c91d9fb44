"""Whole requests to the application, in this process."""

import asyncio
import gc
import io
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from asgi import Answer, alive, ask, form
from noise import encoded
from PIL import Image, ImageFile

from convatlas.runtime.classifier import Classifier, Pictures
from convatlas.serving.app import app
from convatlas.serving.budget import Sent
from convatlas.serving.limits import BODIES
from convatlas.serving.service import QUICK, Service

Make = Callable[..., Service]
PNG = {"content-type": "image/png"}


def together(service: Service, *requests: dict[str, Any]) -> list[Answer]:
    """The answers to requests made at once."""

    async def story() -> list[Answer]:
        served = app(service)
        async with alive(served):
            return await asyncio.gather(*(ask(served, **each) for each in requests))

    return asyncio.run(asyncio.wait_for(story(), 60))


def post(chunks: list[bytes], headers: dict[str, str] = PNG, query: str = "") -> dict[str, Any]:
    return {"target": f"/predict{query}", "chunks": chunks, "headers": headers}


def sample(service: Service, name: str) -> float:
    """A figure of the metrics; with its labels, if it has any."""
    lines = service.metrics.text().decode().splitlines()
    return next(float(x.split()[-1]) for x in lines if x.startswith(f"convatlas_{name} "))


def left(service: Service) -> int:
    """The bytes that clients may still send now."""
    return service.budget.left


def all_of(service: Service) -> int:
    """The bytes that all bodies may take together."""
    return BODIES * service.limits.max_bytes


def picture(shade: int) -> bytes:
    """A small picture of one shade."""
    file = io.BytesIO()
    Image.new("L", (28, 28), shade).save(file, "PNG")
    return file.getvalue()


class Held:
    """An engine that waits until it is let go."""

    def __init__(self, classifier: Classifier) -> None:
        self.classes = classifier.probabilities
        self.free, self.entered = threading.Event(), threading.Event()
        self.pictures, self.armed = 0, False

    def __call__(self, fed: np.ndarray) -> np.ndarray:
        if self.armed:
            self.pictures += len(fed)
            self.entered.set()
            assert self.free.wait(60)
        else:
            time.sleep(2 * QUICK)  # so that it gets a thread of its own
        return np.zeros((len(fed), 10), np.float32)


@pytest.fixture
def held(classifier: Classifier) -> Held:
    return Held(classifier)


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
    service = make(max_wait=5, max_batch=4)
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


@pytest.mark.parametrize("top", ["0", "-1", "x", "1.5", "", "1&top=2", "٣", "1" * 40])
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


def test_more_than_there_are_classes_is_all(make: Make, files: list[bytes]) -> None:
    (answer,) = together(make(), post(files[:1], PNG, "?top=999999999"))
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
    service = make(run=engine, max_wait=5)
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
