"""Clients that keep a connection waiting, against a real socket in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from convatlas.serving import protocol
from convatlas.serving.protocol import PatientProtocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers without reading the body, a little later."""
    await asyncio.sleep(0.1)
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hi"})


async def hear(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Reads a body until the client is gone, and answers nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def flood(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers with more than a connection takes at a time."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(100):
        await send({"type": "http.response.body", "body": bytes(10**6), "more_body": True})
    await send({"type": "http.response.body"})


async def look(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a little later, and meanwhile looks whether the client is there."""
    looking = asyncio.ensure_future(receive())
    await hello(_scope, receive, send)
    looking.cancel()


def served(story: Callable[[Streams], Awaitable[None]], app: ASGIApp = hello) -> None:
    """Run a story with a connection to a server."""

    async def run() -> None:
        config = uvicorn.Config(app, port=0, http=PatientProtocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await story((reader, writer))
        writer.close()
        server.should_exit = True
        await task

    asyncio.run(asyncio.wait_for(run(), 60))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than the answer takes."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head.partition(b"\r\n")[0] + b" " + await reader.readexactly(2)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_sends_no_whole_head_is_hung_up_on(sent: bytes) -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(sent)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await answer(reader)

    served(story)


def test_dripping_does_not_help() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        gone = asyncio.create_task(reader.read())
        writer.write(b"GET / HTTP/1.1\r\n")
        while not gone.done():
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.01)
        await asyncio.gather(gone, return_exceptions=True)  # closed or reset

    served(story)


def test_who_waits_for_an_answer_is_not_hung_up_on_and_may_ask_again() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        for _ in range(3):
            writer.write(GET)
            assert await answer(reader) == b"HTTP/1.1 200 OK hi"
            await asyncio.sleep(0.1)  # idle in between, which uvicorn's own timer watches

    served(story)


def test_a_refused_body_cannot_go_on_for_ever() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(CHUNKED)
        assert await answer(reader) == b"HTTP/1.1 200 OK hi"
        gone = asyncio.create_task(reader.read())
        while not gone.done():
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.01)
        await asyncio.gather(gone, return_exceptions=True)

    served(story)


def test_what_is_no_http_after_an_answer_ends_the_connection_and_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(CHUNKED)
        assert await answer(reader) == b"HTTP/1.1 200 OK hi"
        writer.write(b"no chunk\r\n")
        assert await reader.read() == b""

    served(story)
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == []


def test_what_is_no_http_instead_of_a_body_is_400_and_frees_the_request_at_once() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(CHUNKED)
        await asyncio.sleep(0.1)
        before = len(asyncio.all_tasks())
        writer.write(b"no chunk\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"\r\nconnection: close\r\n" in head
        assert b"application/problem+json" in head
        assert len(asyncio.all_tasks()) == before - 1  # the connection lingers, the request not

    served(story, hear)


def test_too_long_a_head_is_answered_though_the_client_goes_on_sending() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(GET[:-2] + b"X: " + b"y" * 3_000_000 + b"\r\n\r\n")
        await writer.drain()
        said = await reader.read()  # to the end, and no reset
        assert said.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert b"more than 16384 bytes" in said

    served(story)


def test_who_does_not_read_its_answer_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "READ_SECONDS", 0.1)
    got: list[int] = []

    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(GET)
        await asyncio.sleep(0.5)
        with suppress(ConnectionError):
            while chunk := await reader.read(10**6):
                got.append(len(chunk))

    served(story, flood)
    assert sum(got) < 10**8


def test_who_asks_ahead_without_end_is_not_read_without_end() -> None:
    """What is not read stays in the system's own buffers, which are full at some time."""
    ahead = 50 * 10**6

    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(GET * (ahead // len(GET)))
        for _ in range(5):
            assert await answer(reader) == b"HTTP/1.1 200 OK hi"
        unsent = writer.transport.get_write_buffer_size()
        assert unsent > ahead / 2
        for _ in range(20):
            assert await answer(reader) == b"HTTP/1.1 200 OK hi"
        assert writer.transport.get_write_buffer_size() > unsent - 10**6
        writer.transport.abort()

    served(story, look)


def test_requests_sent_ahead_are_answered_in_turn_and_reading_goes_on_after_them() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        for many in (3, 1, 2):
            writer.write(GET * many)
            for _ in range(many):
                assert await answer(reader) == b"HTTP/1.1 200 OK hi"

    served(story, look)


def test_an_empty_line_after_a_request_does_not_spoil_the_next() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        for _ in range(3):
            writer.write(GET + b"\r\n")
            assert await answer(reader) == b"HTTP/1.1 200 OK hi"

    served(story)


def test_what_follows_a_clients_last_request_is_not_looked_at() -> None:
    """An empty line, as some clients send after a body."""

    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await asyncio.sleep(0.02)
        writer.write(b"\r\n")
        assert await answer(reader) == b"HTTP/1.1 200 OK hi"
        assert await reader.read() == b""

    served(story)


def test_head_with_a_body_that_is_none_is_answered_without_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        writer.write(CHUNKED.replace(b"POST", b"HEAD") + b"no chunk\r\n")
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert said.endswith(b"\r\n\r\n")

    served(story)
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_length_and_chunks_are_refused_and_the_connection_is_closed() -> None:
    async def story(streams: Streams) -> None:
        reader, writer = streams
        both = CHUNKED.replace(b"Host: x", b"Host: x\r\nContent-Length: 5")
        writer.write(GET + both + b"0\r\n\r\n" + GET)
        assert await answer(reader) == b"HTTP/1.1 200 OK hi"
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"exclude each other" in said
        assert said.count(b"HTTP/1.1") == 1  # what came after is no request

    served(story)
