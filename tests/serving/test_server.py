"""The whole server in a process of its own."""

import asyncio
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path

import httpx2
import pytest
from half import Half
from served import Served

from convatlas.runtime.classifier import Classifier
from convatlas.runtime.opened import ENGINES
from convatlas.serving.limits import Limits
from convatlas.serving.server import _Server, accepted, bind, started_line, url_of
from convatlas.serving.service import service

Start = Callable[..., Served]
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def halves(served: Served, blobs: list[bytes]) -> list[Half]:
    """Requests that the server has begun to read, and not ended."""
    clients = [Half(served.port, blob) for blob in blobs]
    while served.gauge("convatlas_requests_in_flight") < len(blobs) + 1:  # with that for the gauge
        time.sleep(0.01)
    return clients


def no_longer_listening(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)


@contextmanager
def idle(served: Served, many: int) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has been answered once and is kept open."""
    with ExitStack() as stack:
        address = ("127.0.0.1", served.port)
        made = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(many)]
        for each in made:
            each.sendall(HEALTH)
            assert each.recv(1000).startswith(b"HTTP/1.1 200 OK")
        yield made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_answers_what_it_has_accepted(
    start: Start, files: list[bytes], classifier: Classifier, number: signal.Signals
) -> None:
    served = start()
    clients = halves(served, files * 4)
    served.process.send_signal(number)
    no_longer_listening(served.port)
    for client in clients:
        client.finish()
    for client, blob in zip(clients, files * 4, strict=True):
        best = classifier.probabilities(classifier.decode(blob))[0].argmax()
        answer = client.answer()
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b'"index":%d,' % best in answer
    status, err = served.end()
    assert status == 0
    assert "Traceback" not in err


def test_told_to_stop_it_loses_no_request_of_clients_that_keep_their_connection(
    start: Start, files: list[bytes]
) -> None:
    """Each is told that its connection is closed, and sends no more on it."""
    served = start()
    begun = threading.Barrier(9)

    def ask_on() -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=20)
        for number in count():
            connection.request("POST", "/predict", files[0], {"Content-Type": "image/png"})
            answer = connection.getresponse()  # raises if the connection is reset, or just closed
            assert answer.status == 200
            assert b'"guesses"' in answer.read()
            if answer.getheader("connection") == "close":
                return answer
            if number == 5:
                begun.wait(20)
            time.sleep(0.01)  # idle in between
        raise AssertionError

    with ThreadPoolExecutor(8) as clients:
        asking = [clients.submit(ask_on) for _ in range(8)]
        begun.wait(20)
        served.process.terminate()
        for each in asking:
            each.result()
    status, err = served.end()
    assert status == 0
    assert "Traceback" not in err


def test_told_to_stop_it_serves_who_has_connected_already(classifier: Classifier) -> None:
    """Though the server has not yet taken their connections from the system."""
    stopping = threading.Event()
    served = service(classifier, Limits(), engine="onnxruntime", stopping=stopping.is_set)

    async def story(stack: ExitStack) -> list[bytes]:
        bound = [stack.enter_context(each) for each in bind("127.0.0.1", 0)]
        address = bound[0].getsockname()
        server = _Server(served, stopping, lambda: None)
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(bound)
        clients = [stack.enter_context(socket.create_connection(address, 5)) for _ in range(3)]
        for each in clients[:2]:
            each.sendall(HEALTH)
        stopping.set()
        await server.shutdown(bound)
        return [each.recv(1000) for each in clients]

    with ExitStack() as stack:
        *asked, silent = asyncio.run(asyncio.wait_for(story(stack), 60))
    assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in asked)
    assert silent == b""


def test_all_connections_that_wait_are_accepted() -> None:
    with ExitStack() as stack:
        listening = [stack.enter_context(each) for each in bind("127.0.0.1", 0)]
        for each in listening:
            each.listen()
            each.setblocking(False)
        address = listening[0].getsockname()
        clients = [stack.enter_context(socket.create_connection(address)) for _ in range(3)]
        found = [stack.enter_context(each) for each in accepted(listening)]
        assert {each.getpeername() for each in found} == {c.getsockname() for c in clients}
        assert list(accepted(listening)) == []


def test_told_to_stop_it_takes_one_more_request_of_who_was_idle_and_closes_who_stays_so(
    start: Start,
) -> None:
    served = start()
    with idle(served, 2) as (late, silent):
        served.process.terminate()
        no_longer_listening(served.port)
        late.sendall(HEALTH)
        with late.makefile("rb") as file:
            answer = file.read()
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"\r\nconnection: close\r\n" in answer
        assert silent.recv(1) == b""  # its end, and no reset
    assert served.end()[0] == 0


def test_but_not_for_ever(start: Start, files: list[bytes]) -> None:
    served = start("--grace", "1")
    (client,) = halves(served, files[:1])
    served.process.send_signal(signal.SIGTERM)
    answer = client.answer()  # it never sends the rest
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"the server has stopped" in answer
    status, err = served.end()
    assert status == 0
    assert "Traceback" not in err


def test_a_second_ctrl_c_ends_it_at_once_and_quietly(start: Start, files: list[bytes]) -> None:
    served = start()
    (client,) = halves(served, files[:1])  # would be waited for
    served.process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    served.process.send_signal(signal.SIGINT)
    status, err = served.end()
    with suppress(ConnectionError):
        client.answer()
    assert status == 130
    assert "Traceback" not in err
    assert "ERROR" not in err


def test_it_says_where_and_what_and_runs_without_torch(
    start: Start, files: list[bytes], tmp_path: Path
) -> None:
    served = start("--max-batch", "5", "--log-level", "error")
    assert re.fullmatch(
        rf"serving lenet-bn \(fp32, onnxruntime\) at {served.url}  pid {served.process.pid}  "
        r"batches of 5 within 3 ms, queue of 256, 32 pictures and 16 MiB a request, 30 s, "
        r"no token\n",
        served.line,
    )
    answer = httpx2.post(f"{served.url}/predict", files=[("images", f) for f in files])
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 4
    maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert "onnxruntime" in maps
    assert "torch" not in maps
    served.process.terminate()
    assert served.end() == (0, "")


@pytest.mark.parametrize(
    ("most", "said"),
    [
        *((16 * 2**20, "16 MiB"), (512 * 2**10, "512 KiB"), (3 * 2**19, "1,536 KiB")),
        *((200_000, "200,000 bytes"), (1, "1 byte"), (2**30, "1,024 MiB")),
    ],
)
def test_the_most_bytes_are_said_in_whole_units(
    most: int, said: str, classifier: Classifier
) -> None:
    limits = Limits(max_bytes=most)
    served = service(classifier, limits, engine="onnxruntime", stopping=lambda: False)
    assert f", 32 pictures and {said} a request, 30 s" in started_line(served, "http://x")


def test_the_fastest_engine_is_measured_said_and_used(
    start: Start, files: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path / "cache"))
    served = start("--engine", "auto")
    engine = httpx2.get(f"{served.url}/model").json()["engine"]
    assert engine in ENGINES
    assert f"(fp32, {engine})" in served.line
    png = {"Content-Type": "image/png"}
    answer = httpx2.post(f"{served.url}/predict", content=files[0], headers=png)
    assert answer.status_code == 200
    maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert engine in maps.lower()


def test_a_large_upload_stays_in_memory(start: Start) -> None:
    """Far beyond what other parsers spool to a temporary file; no file is open but the log's."""
    served = start("--max-bytes", "50000000")
    blob = b"\x89PNG\r\n\x1a\n" + bytes(20_000_000)
    form = b"--e\r\nContent-Disposition: form-data; name=images\r\n\r\n" + blob
    head = (
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=e\r\n"
        f"Content-Length: {len(form) + 9}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        client.sendall(head.encode() + form)  # returns when the server has read all but a few MB
        links = Path(f"/proc/{served.process.pid}/fd").iterdir()
        targets = [str(link.readlink()) for link in links]
        files = {t for t in targets if t.startswith("/") and not t.startswith("/dev")}
        assert files == {str(served.err)}
        client.sendall(b"\r\n--e--\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 422 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 120_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /?" + b"q" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 3_000_000,
    ],
    ids=["a header", "headers", "query", "endless"],
)
def test_the_head_of_a_request_is_bounded(start: Start, head: bytes) -> None:
    served = start()
    with (
        socket.create_connection(("127.0.0.1", served.port), timeout=20) as client,
        client.makefile("rb") as file,
    ):
        client.sendall(head)
        assert file.read().startswith(b"HTTP/1.1 431 ")  # to its end, without a reset


def test_it_asks_for_the_token_in_a_file(start: Start, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    served = start("--token-file", str(tmp_path / "token"))
    assert served.line.endswith(", a token\n")
    assert httpx2.get(f"{served.url}/model").status_code == 401
    bearer = {"Authorization": "Bearer 0123456789abcdef"}
    assert httpx2.get(f"{served.url}/model", headers=bearer).status_code == 200
    assert "0123456789abcdef" not in Path(f"/proc/{served.process.pid}/cmdline").read_text()


def test_open_to_others_without_a_token_it_warns(start: Start) -> None:
    served = start("--host", "0.0.0.0")
    served.process.terminate()
    status, err = served.end()
    assert status == 0
    assert "asks for no token" in err.splitlines()[0]


def test_one_connection_too_many_is_503_and_closed(start: Start) -> None:
    served = start("--limit-concurrency", "3")
    with (
        idle(served, 3),  # just so many
        socket.create_connection(("127.0.0.1", served.port), 20) as more,
        more.makefile("rb") as file,
    ):
        more.sendall(HEALTH)
        assert file.read().startswith(b"HTTP/1.1 503 ")  # to its end
    while httpx2.get(f"{served.url}/healthz").status_code != 200:
        time.sleep(0.01)


def test_a_connection_too_many_that_says_nothing_is_not_kept(start: Start) -> None:
    """Though it has sent no request that could be answered."""
    served = start("--limit-concurrency", "2")
    with (
        idle(served, 2) as kept,
        socket.create_connection(("127.0.0.1", served.port), 5) as more,
    ):
        assert more.recv(1) == b""
        kept[0].sendall(HEALTH)
        assert kept[0].recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_name_is_listened_to_at_all_of_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 first, as most systems answer; 2001:db8::1 is an address that no machine has."""
    known = ["::1", "2001:db8::1", "127.0.0.1", "127.0.0.1"]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_args, **_options: [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (each, 0, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0))
            for each in known
        ],
    )
    bound = bind("localhost", 0)
    with ExitStack() as stack:
        for each in bound:
            stack.enter_context(each)
        names = [each.getsockname()[:2] for each in bound]
        port = names[0][1]
        assert names == [("127.0.0.1", port), ("::1", port)]
        assert url_of(bound) == f"http://127.0.0.1:{port}"


def test_what_is_answered_before_it_is_a_request_is_counted(start: Start) -> None:
    served = start("--limit-concurrency", "2")
    long = HEALTH[:-2] + b"X: " + b"y" * 20_000 + b"\r\n\r\n"
    other = HEALTH[:-2] + b"Transfer-Encoding: gzip\r\n\r\n"
    for said, status in ((b"hello\r\n\r\n", 400), (long, 431), (other, 501)):
        name = f'convatlas_requests_total{{path="other",status="{status}"}}'
        with socket.create_connection(("127.0.0.1", served.port), 20) as client:
            client.sendall(said)
            while client.recv(65536):
                pass
        assert served.gauge(name) == 1
    assert served.gauge('convatlas_rejected_total{why="connections"}') == 0
    with idle(served, 2), socket.create_connection(("127.0.0.1", served.port), 5) as more:
        assert more.recv(1) == b""
    while len(httpx2.get(f"{served.url}/metrics").text) < 1000:  # until the others have gone
        time.sleep(0.01)
    assert served.gauge('convatlas_rejected_total{why="connections"}') >= 1
