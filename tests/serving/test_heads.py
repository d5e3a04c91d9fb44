"""The bound on a head holds whatever the pieces it arrives in."""

import h11
import pytest

from convatlas.serving.heads import HEAD_BYTES, BoundedHeads

START = b"GET / HTTP/1.1\r\nHost: x\r\n"
BODY = b"z" * 3 * HEAD_BYTES


def of(size: int) -> bytes:
    """A head of so many bytes."""
    return START + b"X: " + b"y" * (size - len(START) - 7) + b"\r\n\r\n"


def many(size: int) -> bytes:
    """The same in many headers."""
    return START + b"X: yy\r\n" * ((size - len(START)) // 7) + b"\r\n"


def read(connection: BoundedHeads, *pieces: bytes) -> object:
    """What the connection makes of the pieces: a request, or nothing yet."""
    event: object = h11.NEED_DATA
    for piece in pieces:
        if event is h11.NEED_DATA:
            connection.receive_data(piece)
            event = connection.next_event()
    return event


def pieces(head: bytes, size: int) -> list[bytes]:
    return [head[i : i + size] for i in range(0, len(head), size)]


@pytest.mark.parametrize("size", [100, 4096, 10**6])
def test_one_that_just_fits_is_taken_and_a_byte_more_is_not(size: int) -> None:
    assert len(of(HEAD_BYTES)) == HEAD_BYTES
    assert isinstance(read(BoundedHeads(), *pieces(of(HEAD_BYTES), size)), h11.Request)
    connection = BoundedHeads()
    with pytest.raises(h11.RemoteProtocolError):
        read(connection, *pieces(of(HEAD_BYTES + 1), size))
    assert connection.status == 431


@pytest.mark.parametrize("head", [of(120_000), many(60_000), of(2_000_000)])
def test_a_whole_one_that_is_too_long_is_not_parsed(head: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError, match="head too long"):
        read(BoundedHeads(), head)


def test_a_body_that_comes_along_is_no_part_of_it() -> None:
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    whole = START.replace(b"GET", b"POST") + length + BODY
    assert isinstance(read(BoundedHeads(), whole), h11.Request)


def test_the_next_request_of_a_connection_is_bounded_too() -> None:
    connection = BoundedHeads()
    assert isinstance(read(connection, START + b"\r\n" + of(50_000)), h11.Request)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    assert connection.next_event() is h11.PAUSED
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    with pytest.raises(h11.RemoteProtocolError, match="head too long"):
        connection.next_event()


@pytest.mark.parametrize(
    ("said", "status"),
    [(b"hello\r\n\r\n", 400), (START + b"Transfer-Encoding: gzip\r\n\r\n", 501)],
)
def test_other_faults_have_their_status(said: bytes, status: int) -> None:
    connection = BoundedHeads()
    with pytest.raises(h11.RemoteProtocolError):
        read(connection, said)
    assert connection.status == status
