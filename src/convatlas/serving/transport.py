"""A connection on which what is written at one moment is sent at once.

uvicorn writes the head of an answer, then its body: two calls of the system, two packets, and two
times that the client is woken up.
"""

import asyncio
from typing import Any


class GatheringTransport:
    """A transport; all but writing and closing is left to the one inside."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send it with all that is written until the loop's next turn."""
        if not data:
            return
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def close(self) -> None:
        """Close once all that was written is sent."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
