"""HTTP/1.1 with a limit on how long a client may take to send the head of a request.

uvicorn closes a connection that stays idle after an answer, but waits for ever for the first
request, for the rest of a head, and for the rest of a body that was refused unread. It answers
requests on too many connections with 503, but keeps those on which nothing is asked. h11 bounds
the size of heads (16 KiB), which is why it is used and not httptools.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from convatlas.serving.transport import GatheringTransport

HEAD_SECONDS = 10.0
EXTRA_SECONDS = 1.0  # on a connection too many, to be told so
EXTRA = 64  # connections too many that are; others are closed at once


class PatientProtocol(H11Protocol):
    """uvicorn's own, which hangs up on a client that keeps it waiting between requests."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first head is awaited from here on."""
        joined: Any = GatheringTransport(transport, self.loop)
        super().connection_made(joined)
        extra = len(self.connections) - (self.limit_concurrency or len(self.connections) + 1)
        if extra >= EXTRA:
            transport.abort()
        else:
            self._await_head(HEAD_SECONDS if extra < 0 else EXTRA_SECONDS)

    def data_received(self, data: bytes) -> None:
        """More of a head or of a body."""
        super().data_received(data)
        self._await_head(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is awaited."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _await_head(self, seconds: float) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering or self.timeout_keep_alive_task is not None:
            self._stop_waiting()
        elif self._patience is None:
            self._patience = self.loop.call_later(seconds, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self) -> None:
        self._patience = None
        answering = self.cycle is not None and not self.cycle.response_complete
        if not answering and self.timeout_keep_alive_task is None:
            self.transport.abort()
