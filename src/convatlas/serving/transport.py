"""A connection that sends in one piece what is written at one moment, and closes without losses.

uvicorn writes the head of an answer, then its body: two calls of the system, two packets, and two
times that the client is woken up. And it closes at once: if the client is still sending, the system
then answers with a reset, and the client may never see the answer. RFC 9112, 9.6, wants what is
done here: say that no more comes, and go on reading for a moment.
"""

import asyncio
import contextlib
from typing import Any

LINGER_SECONDS = 1.0  # for the client to read what it was sent, and to close
UNREAD_SECONDS = 10.0  # more for one that has not yet taken all


class LingeringTransport:
    """A transport; all but writing and closing is left to the one inside.

    Once it `is_closing`, what still arrives is to be dropped.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._closing = False

    def write(self, data: bytes) -> None:
        """Send it with all that is written until the loop's next turn."""
        if not data:
            return
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def close(self) -> None:
        """Say that no more comes once all that was written is sent; close when the client does."""
        if self.is_closing():
            return
        self._closing = True
        self._send()
        with contextlib.suppress(OSError):  # the client has gone; the transport is about to see it
            self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER_SECONDS, self._let_go)

    def is_closing(self) -> bool:
        """Whether nothing more is sent."""
        return self._closing or self._transport.is_closing()

    def _let_go(self) -> None:
        if self._transport.get_write_buffer_size():
            self._loop.call_later(UNREAD_SECONDS, self._transport.abort)
        self._transport.close()

    def _send(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
