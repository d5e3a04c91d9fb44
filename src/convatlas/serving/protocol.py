"""HTTP/1.1 with limits on what a client may keep waiting, and on the head of a request.

uvicorn closes a connection that stays idle after an answer, but waits for ever for the first
request, for the rest of a head, for the rest of a body that was refused unread, and for a client
that does not read its answer. It answers requests on too many connections with 503, but keeps those
on which nothing is asked. Told to stop it closes idle connections at once, though a request may be
on its way. And it reads on, into memory without end, while requests that a client has sent ahead
wait for their turn.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from convatlas.serving.heads import BoundedHeads
from convatlas.serving.metrics import OTHER, Metrics
from convatlas.serving.problems import Problem, title
from convatlas.serving.transport import LingeringTransport

HEAD_SECONDS = 10.0
READ_SECONDS = 30.0  # for a client to read what is on its way to it
LAST_SECONDS = 1.0  # for one more request, once told to stop
EXTRA_SECONDS = 1.0  # on a connection too many, to be told so
EXTRA = 64  # connections too many that are; others are closed at once


class Turns(FlowControl):
    """uvicorn's, which reads no more while there are requests to be answered after this one."""

    def __init__(self, transport: asyncio.Transport, conn: BoundedHeads) -> None:
        super().__init__(transport)
        self._conn = conn

    def resume_reading(self) -> None:
        """Whoever answers a request asks for it, to see more of its body or its client go."""
        if not self._conn.behind:
            super().resume_reading()


class PatientProtocol(H11Protocol):
    """uvicorn's own, which hangs up on a client that keeps it waiting.

    ``metrics``: of a subclass, that count what is answered or closed here.
    """

    metrics: Metrics | None = None
    conn: BoundedHeads
    _patience: asyncio.TimerHandle | None = None  # for a head
    _unread: asyncio.TimerHandle | None = None  # for an answer to be read

    def connection_made(self, transport: Any) -> None:
        """The first head is awaited from here on."""
        lingering: Any = LingeringTransport(transport, self.loop)
        super().connection_made(lingering)
        self.conn = BoundedHeads()
        self.flow = Turns(lingering, self.conn)
        extra = len(self.connections) - (self.limit_concurrency or len(self.connections) + 1)
        if extra >= 0 and self.metrics:
            self.metrics.rejected.labels("connections").inc()
        if extra >= EXTRA:
            transport.abort()
        else:
            self._await_head(HEAD_SECONDS if extra < 0 else EXTRA_SECONDS)

    def data_received(self, data: bytes) -> None:
        """More of a head or of a body."""
        if self.transport.is_closing() or self.conn.their_state is h11.MUST_CLOSE:
            return  # after its last request, to which some clients add an empty line
        super().data_received(data)
        self._await_head(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is awaited."""
        super().connection_lost(exc)
        self._stop_waiting()
        self.resume_writing()

    def on_response_complete(self) -> None:
        """The next request is begun if it has come, else awaited."""
        super().on_response_complete()
        self.flow.resume_reading()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read most of it."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP or has too long a head, unless something else was answered."""
        self._stop_waiting()
        if self.cycle is not None:  # its body will not be whole any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        status = self.conn.status
        answer = Problem(status, self.conn.said).response()
        ours = self.server_state.default_headers
        headers = [*ours, *answer.raw_headers, (b"connection", b"close")]
        parts = (
            h11.Response(status_code=status, headers=headers, reason=title(status).encode()),
            h11.Data(data=b"" if self.conn.bodiless else bytes(answer.body)),
            h11.EndOfMessage(),
        )
        for part in parts:
            self.transport.write(self.conn.send(part) or b"")
        if self.metrics:
            self.metrics.requests.labels(OTHER, str(status)).inc()
        self.transport.close()

    def shutdown(self) -> None:
        """Told to stop: a request that is on its way is answered, then the connection closed."""
        if self._answering():
            super().shutdown()
            return
        self._unset_keepalive_if_required()
        self._stop_waiting()
        self._patience = self.loop.call_later(LAST_SECONDS, self.transport.close)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self, seconds: float) -> None:
        if self._answering() or self.timeout_keep_alive_task is not None:
            self._stop_waiting()
        elif self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(seconds, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self) -> None:
        self._patience = None
        if not self._answering() and self.timeout_keep_alive_task is None:
            self.transport.abort()
