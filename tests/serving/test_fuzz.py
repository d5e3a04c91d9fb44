"""Bytes that are no request, or one that lies, straight to the socket."""

import socket
from collections.abc import Callable

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import Served

CLAIMS = st.sampled_from(
    [
        *("Content-Length: 5", "Content-Length: 99999999999999999999", "Content-Length: -1"),
        *("Content-Length: 5\r\nContent-Length: 6", "Content-Length: 0x10"),
        *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked"),
        *("Transfer-Encoding: chunked\r\nContent-Length: 3", "Expect: 100-continue"),
        *("Content-Encoding: gzip", "Connection: upgrade\r\nUpgrade: websocket"),
        *("Authorization: Bearer \xff", "X: " + "y" * 70_000),
    ]
)
TYPES = st.sampled_from(
    [
        *("image/png", "multipart/form-data", "multipart/form-data; boundary=edge"),
        *("multipart/form-data; boundary=" + "e" * 300, "multipart/form-data; boundary=\r\n x"),
        *("text/plain", "\xff", "application/octet-stream"),
    ]
)
PIECES = st.sampled_from(
    [
        *(b"--edge\r\n", b"--edge--\r\n", b"\r\n\r\n", b"\r\n", b"--edge", b"edge--"),
        b'Content-Disposition: form-data; name="images"; filename="../../x\x00"\r\n\r\n',
        *(b"Content-Disposition: form-data\r\n\r\n", b"5\r\nabcde\r\n", b"0\r\n\r\n"),
        *(b"ffffffffffffffff\r\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF0000WEBP"),
    ]
)
BODIES = st.lists(st.one_of(PIECES, st.binary(max_size=30)), max_size=12).map(b"".join)
TARGETS = st.sampled_from(
    ["/predict", "/predict?top=%00", "/%2e%2e/etc/passwd", "http://x/predict", "*", "/" * 9000]
)


def head(method: str, target: str, kind: str, claim: str) -> bytes:
    lines = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{claim}\r\n\r\n"
    return lines.encode("latin-1")


REQUESTS = st.one_of(
    st.binary(max_size=200),
    st.tuples(
        st.builds(head, st.sampled_from(["POST", "GET", "PRI", "?"]), TARGETS, TYPES, CLAIMS),
        BODIES,
    ).map(b"".join),
)


def say(port: int, blob: bytes) -> bytes:
    """What comes back once all is sent and the sending side is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        try:
            client.sendall(blob)
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(65536), b""))
        except ConnectionError:
            return b""


@pytest.mark.slow
def test_nothing_a_client_sends_breaks_it(start: Callable[..., Served]) -> None:
    served = start("--max-bytes", "10000", "--timeout", "2", "--log-level", "error")

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(REQUESTS)
    def made_up(request: bytes) -> None:
        answer = say(served.port, request)
        assert answer.startswith(b"HTTP/1.1 501 ") or not answer.startswith(b"HTTP/1.1 5")
        assert b"Traceback" not in answer

    made_up()
    assert httpx2.get(f"{served.url}/readyz").status_code == 200
    while served.gauge("convatlas_requests_in_flight") > 1:  # none is left behind
        pass
    served.process.terminate()
    status, err = served.end()
    assert status == 0
    assert "Traceback" not in err, err[-6000:]
