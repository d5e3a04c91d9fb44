"""What stands at the other paths, and who may see it."""

import asyncio
import re
from collections.abc import Callable

import pytest
from asgi import Answer, alive, ask
from prometheus_client.parser import text_string_to_metric_families

from convatlas.runtime.classifier import Classifier
from convatlas.serving.app import ENDPOINTS, app
from convatlas.serving.limits import Limits
from convatlas.serving.service import Service, service

Make = Callable[..., Service]
TOKEN = "0123456789abcdef"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PNG = {"content-type": "image/png"}


def get(served: Service, *targets: str, method: str = "GET", **headers: str) -> list[Answer]:
    async def story() -> list[Answer]:
        application = app(served)
        async with alive(application):
            return [await ask(application, t, headers=headers, method=method) for t in targets]

    return asyncio.run(asyncio.wait_for(story(), 60))


def test_the_model_says_what_it_is_and_nothing_of_where_it_came_from(
    make: Make, classifier: Classifier
) -> None:
    (answer,) = get(make(), "/model")
    card = classifier.card
    assert answer.json["network"] == "lenet-bn"
    assert answer.json["precision"] == card.precision
    assert answer.json["input"] == [None, 1, 28, 28]
    assert answer.json["num_classes"] == 10
    assert set(answer.json) == {
        *("network", "precision", "engine", "weights", "input", "decoded_side"),
        *("num_classes", "labels", "versions"),
    }


def test_the_root_leads_to_paths_that_are_there(make: Make) -> None:
    (answer,) = get(make(), "/")
    assert {v for v in answer.json.values() if v.startswith("/")} == set(ENDPOINTS) - {"/"}


def test_a_server_that_stops_is_alive_but_not_ready(classifier: Classifier) -> None:
    served = service(classifier, Limits(), engine="onnxruntime", stopping=lambda: True)
    alive_, ready = get(served, "/healthz", "/readyz")
    assert (alive_.status, ready.status) == (200, 503)
    served.decoders.end()


def test_ready(make: Make) -> None:
    assert [a.status for a in get(make(), "/healthz", "/readyz")] == [200, 200]


@pytest.mark.parametrize(("path", "status"), [("/model", 401), ("/metrics", 401), ("/", 200)])
def test_a_token_guards_what_tells_and_what_costs(make: Make, path: str, status: int) -> None:
    (without,) = get(make(token=TOKEN), path)
    assert without.status == status
    (wrong,) = get(make(token=TOKEN), path, authorization="Bearer 0123456789abcdeF")
    assert wrong.status == status
    (right,) = get(make(token=TOKEN), path, **BEARER)
    assert right.status == 200


def test_without_the_token_a_body_is_not_even_read(make: Make, files: list[bytes]) -> None:
    async def story() -> None:
        application = app(make(token=TOKEN))
        async with alive(application):
            refused = await ask(application, "/predict", [b"x"], PNG, unfinished=True)
            assert refused.status == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert TOKEN.encode() not in refused.body
            allowed = await ask(application, "/predict", files[:1], PNG | BEARER)
            assert allowed.status == 200

    asyncio.run(asyncio.wait_for(story(), 60))


def test_probes_need_no_token(make: Make) -> None:
    answers = get(make(token=TOKEN), "/healthz", "/readyz", "/openapi.json")
    assert [a.status for a in answers] == [200] * 3


@pytest.mark.parametrize("path", ["/none", "/predict/", "//", "/../etc/passwd", "/model%00"])
def test_other_paths_are_404(make: Make, path: str) -> None:
    (answer,) = get(make(), path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", list(ENDPOINTS))
def test_other_methods_are_405_and_name_the_right_one(make: Make, path: str) -> None:
    (answer,) = get(make(), path, method="PATCH")
    assert answer.status == 405
    assert ENDPOINTS[path][0] in answer.headers["allow"].split(", ")


def test_metrics_can_be_read_and_count(make: Make, files: list[bytes]) -> None:
    served = make()

    async def story() -> Answer:
        application = app(served)
        async with alive(application):
            for blob in (files[0], files[1], b"no picture"):
                await ask(application, "/predict", [blob], PNG)
            for path in ("/secret-17", "/secret-18"):
                await ask(application, path)
            await ask(application, "/model", method="BREW")
            return await ask(application, "/metrics")

    answer = asyncio.run(asyncio.wait_for(story(), 60))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert samples["convatlas_pictures_total", ()] == 2
    assert samples["convatlas_decode_errors_total", ()] == 1
    assert samples["convatlas_batch_size_sum", ()] == 2
    assert samples["convatlas_queue_pictures", ()] == 0
    assert samples["convatlas_requests_in_flight", ()] == 1  # this one
    predict = (("path", "/predict"), ("status", "200"))
    assert samples["convatlas_requests_total", predict] == 2
    assert samples["convatlas_requests_total", (("path", "other"), ("status", "404"))] == 2
    assert samples["convatlas_request_seconds_count", (("path", "/predict"),)] == 3
    assert not re.search("secret|BREW", text)


def test_the_log_holds_nothing_that_a_client_made_up(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="convatlas.serving"):
        get(make(), "/forged\n2026 INFO all is well", method="GET")
        get(make(), "/healthz", method="BREW\n")
    assert [record.getMessage().count("\n") for record in caplog.records] == [0, 0]
    assert "127.0.0.1 GET other 404" in caplog.records[0].getMessage()
    assert "127.0.0.1 ? /healthz 405" in caplog.records[1].getMessage()
