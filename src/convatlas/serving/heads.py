"""h11 with bounds on what a client may send, and a stricter reading of how its bodies end.

h11 measures a head only if it is incomplete after a read, and a read may bring 256 KiB: a head that
comes whole would be taken at any length up to that. Each chunk of a body costs it 0.01 ms, be it of
one byte: a read full of those would hold all others up for more than a second. And it takes a head
with both a length and chunks, which a proxy before it may have read the other way (RFC 9112, 6.1),
but no empty line before a request, which some clients send after a body (2.2).
"""

import re

import h11

HEAD_BYTES = 16 * 2**10
FEW_CHUNKS, CHUNK_BYTES = 1024, 256  # more chunks than a few must have so many bytes on average
END = re.compile(rb"\n\r?\n")
EMPTY = re.compile(rb"(?:\r?\n|\r\Z)+")
SAID = {
    400: "this is no request of HTTP/1.1",
    431: f"the head of the request has more than {HEAD_BYTES} bytes; send shorter headers or query",
    501: "the only transfer encoding taken is chunked",
}


class Refused(h11.RemoteProtocolError):
    """What h11 would take. Its text is for the client."""


class BoundedHeads(h11.Connection):
    """The server's side of a connection.

    ``status`` and ``said``: to answer once `next_event` has raised. ``behind``: whether there is
    more that is read once the request before it has been answered.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_BYTES)
        self.status, self.said = 400, SAID[400]
        self.behind = False
        self._head = False  # whether the request is one for a head alone
        self._chunks = self._bytes = 0  # of its body

    @property
    def bodiless(self) -> bool:
        """Whether the answer that is due has no body."""
        return self._head and self.our_state is h11.SEND_RESPONSE

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11's; raises `h11.RemoteProtocolError` before a head that is too long is parsed."""
        try:
            if self.their_state is h11.IDLE:
                self._look()
            event = super().next_event()
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._count(event)
        except h11.RemoteProtocolError as error:
            self.status = error.error_status_hint
            ours = isinstance(error, Refused)
            self.said = str(error) if ours else SAID.get(self.status, SAID[400])
            raise
        self.behind = event is h11.PAUSED
        return event

    def _look(self) -> None:
        arrived, _ = self.trailing_data
        if empty := EMPTY.match(arrived):
            self._receive_buffer.maybe_extract_at_most(empty.end())  # h11 has no other way
            arrived = arrived[empty.end() :]
        if len(arrived) > HEAD_BYTES and not END.search(arrived, 0, HEAD_BYTES):
            raise Refused(SAID[431], error_status_hint=431)

    def _begin(self, request: h11.Request) -> None:
        self._head = request.method == b"HEAD"
        self._chunks = self._bytes = 0
        names = {name for name, _ in request.headers}
        if {b"content-length", b"transfer-encoding"} <= names:
            raise Refused("Content-Length and Transfer-Encoding exclude each other; send one")

    def _count(self, data: h11.Data) -> None:
        self._chunks += data.chunk_end
        self._bytes += len(data.data)
        if self._chunks > max(FEW_CHUNKS, self._bytes / CHUNK_BYTES):
            raise Refused(
                f"the body comes in more than {FEW_CHUNKS} chunks of less than {CHUNK_BYTES} bytes "
                "on average; send larger ones"
            )
