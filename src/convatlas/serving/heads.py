"""h11 with a bound on the head of a request that holds however its bytes arrive.

h11 measures only what is incomplete after a read, and a read may bring 256 KiB: a head that comes
whole would be taken at any length up to that.
"""

import re

import h11

HEAD_BYTES = 16 * 2**10
END = re.compile(rb"\n\r?\n")


class BoundedHeads(h11.Connection):
    """The server's side of a connection. ``status``: to answer once `next_event` has raised."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_BYTES)
        self.status = 400

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11's; raises `h11.RemoteProtocolError` before a head that is too long is parsed."""
        try:
            if self.their_state is h11.IDLE and self._is_long():
                raise h11.RemoteProtocolError("head too long", error_status_hint=431)
            return super().next_event()
        except h11.RemoteProtocolError as error:
            self.status = error.error_status_hint
            raise

    def _is_long(self) -> bool:
        arrived, _ = self.trailing_data
        return len(arrived) > HEAD_BYTES and not END.search(arrived, 0, HEAD_BYTES)
