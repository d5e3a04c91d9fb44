"""What reading a body takes; what it refuses is in `test_predict.py`."""

import asyncio
import tracemalloc
from typing import Any

import pytest
from asgi import form
from starlette.requests import Request

from convatlas.serving.body import Body, budget
from convatlas.serving.limits import Limits

SIZE, CHUNK = 8 * 2**20, 64 * 2**10


def request(body: bytes, headers: dict[str, str]) -> Request:
    """One whose body comes in the pieces that servers read."""
    chunks = iter(range(0, len(body), CHUNK))

    async def receive() -> dict[str, Any]:
        start = next(chunks)
        more = start + CHUNK < len(body)
        return {"type": "http.request", "body": body[start : start + CHUNK], "more_body": more}

    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "headers": raw}, receive)


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_body_is_held_once_and_counted_as_what_is_held(parts: int) -> None:
    """Also at its end, when it becomes pictures; a growing buffer has a little to spare."""
    blob = bytes(SIZE // max(1, parts))
    body, headers = form(*[("x", blob)] * parts) if parts else (blob, {"content-type": "image/png"})
    limits = Limits()
    memory = budget(limits)
    whole = memory.left
    tracemalloc.start()
    try:
        sent = asyncio.run(Body(request(body, headers), limits, memory).pictures())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [len(each.blob) for each in sent] == [len(blob)] * max(1, parts)
    assert peak < 1.3 * SIZE
    assert memory.left == whole - sum(len(each.blob) for each in sent)
    for each in sent:
        each.drop()
        each.drop()
        assert each.blob == b""
    assert memory.left == whole
