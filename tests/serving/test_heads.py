"""The bound on a head holds whatever the pieces it arrives in, and bodies end in one way."""

import h11
import pytest

from convatlas.serving.heads import CHUNK_BYTES, FEW_CHUNKS, HEAD_BYTES, BoundedHeads

START = b"GET / HTTP/1.1\r\nHost: x\r\n"
BODY = b"z" * 3 * HEAD_BYTES
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


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
    with pytest.raises(h11.RemoteProtocolError, match="more than 16384 bytes"):
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
    with pytest.raises(h11.RemoteProtocolError, match="more than 16384 bytes"):
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


@pytest.mark.parametrize(
    "both",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"transfer-encoding: Chunked\r\ncontent-length: 0\r\n\r\n",
    ],
)
def test_a_body_has_a_length_or_chunks_and_not_both(both: bytes) -> None:
    connection = BoundedHeads()
    with pytest.raises(h11.RemoteProtocolError):
        read(connection, START + both)
    assert connection.status == 400
    assert "Content-Length and Transfer-Encoding exclude each other" in connection.said


def ended(*chunks: bytes) -> bool:
    """Whether a body of these chunks is taken to its end."""
    connection = BoundedHeads()
    connection.receive_data(CHUNKED)
    connection.receive_data(b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks))
    connection.receive_data(b"0\r\n\r\n")
    while (event := connection.next_event()) is not h11.NEED_DATA:
        if isinstance(event, h11.EndOfMessage):
            return True
    return False


def test_a_few_chunks_may_be_tiny_and_many_not() -> None:
    assert ended(*[b"x"] * FEW_CHUNKS)
    assert ended(b"x", *[b"y" * 2 * CHUNK_BYTES] * FEW_CHUNKS, *[b"z"] * FEW_CHUNKS)
    with pytest.raises(h11.RemoteProtocolError, match=f"more than {FEW_CHUNKS} chunks"):
        ended(*[b"x"] * (FEW_CHUNKS + 1))
    with pytest.raises(h11.RemoteProtocolError, match="send larger ones"):
        ended(*[b"x" * (CHUNK_BYTES - 1)] * (FEW_CHUNKS + 1))


def test_a_chunk_that_comes_in_pieces_is_one() -> None:
    connection = BoundedHeads()
    connection.receive_data(CHUNKED + b"5000\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    for _ in range(0x5000 - 1):
        connection.receive_data(b"x")
        assert isinstance(connection.next_event(), h11.Data)


def test_it_is_behind_while_another_request_waits_for_its_turn() -> None:
    connection = BoundedHeads()
    connection.receive_data(2 * (START + b"\r\n"))
    found, paused = [], False
    while not paused:
        assert not connection.behind
        found.append(type(connection.next_event()))
        paused = found[-1] is type(h11.PAUSED)
    assert len(found) == 3
    assert connection.behind
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    assert isinstance(connection.next_event(), h11.Request)
    assert not connection.behind


@pytest.mark.parametrize(("method", "bodiless"), [(b"HEAD", True), (b"POST", False)])
def test_the_answer_to_head_has_no_body(method: bytes, bodiless: bool) -> None:
    connection = BoundedHeads()
    assert not connection.bodiless
    read(connection, CHUNKED.replace(b"POST", method))
    connection.receive_data(b"no chunk\r\n")
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()
    assert connection.bodiless == bodiless


@pytest.mark.parametrize("empty", [b"\r\n", b"\n", b"\r\n" * 3, b"\r\n" * HEAD_BYTES])
def test_empty_lines_before_a_request_are_none(empty: bytes) -> None:
    connection = BoundedHeads()
    assert read(connection, empty) is h11.NEED_DATA
    assert isinstance(read(connection, empty + START + b"\r\n" + empty + START), h11.Request)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    assert connection.next_event() is h11.NEED_DATA
    assert isinstance(read(connection, b"\r\n"), h11.Request)


def test_half_an_empty_line_is_completed() -> None:
    assert isinstance(read(BoundedHeads(), b"\r", b"\n" + START + b"\r\n"), h11.Request)
