"""Asking an ASGI application directly: bodies in chunks, and clients that go away."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp


@dataclass(slots=True)
class Answer:
    """What came back; status 0 if nothing did."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@asynccontextmanager
async def alive(app: ASGIApp) -> AsyncIterator[None]:
    """The application's lifespan."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    await inbox.put({"type": "lifespan.startup"})
    task = asyncio.create_task(app({"type": "lifespan", "state": {}}, inbox.get, outbox.put))
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    yield
    await inbox.put({"type": "lifespan.shutdown"})
    assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
    await task


async def ask(
    app: ASGIApp,
    target: str,
    chunks: Iterable[bytes] | None = None,
    headers: dict[str, str] | None = None,
    *,
    method: str | None = None,
    leaving: asyncio.Event | None = None,
    unfinished: bool = False,
) -> Answer:
    """One request. The client goes away at ``leaving``; ``unfinished`` bodies never end."""
    path, _, query = target.partition("?")
    answer, left = Answer(), list(chunks or [])
    ended = False

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if not ended and (left or not unfinished):
            chunk = left.pop(0) if left else b""
            ended = not left and not unfinished
            return {"type": "http.request", "body": chunk, "more_body": not ended}
        await (leaving or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if leaving is not None and leaving.is_set():
            return
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": method or ("GET" if chunks is None else "POST"),
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return answer


def form(*files: tuple[str | None, bytes], field: str = "images") -> tuple[bytes, dict[str, str]]:
    """A multipart body and its header."""
    body = b""
    for name, blob in files:
        file = "" if name is None else f'; filename="{name}"'
        head = f'--edge\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'
        body += head.encode() + blob + b"\r\n"
    return body + b"--edge--\r\n", {"content-type": "multipart/form-data; boundary=edge"}
