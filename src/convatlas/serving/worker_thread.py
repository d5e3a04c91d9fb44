"""A function called in a thread of its own, one call after the other.

An executor of one thread does the same at twice the price: it makes two futures of each call. And
the process cannot end before its thread does, as long as a call may take.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


class WorkerThread(Generic[Given, Found]):
    """Calls ``function``, which must not raise, and hands what it found to ``then`` in the loop."""

    def __init__(
        self, function: Callable[[Given], Found], then: Callable[[Found], None], name: str
    ) -> None:
        self._function, self._then = function, then
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[tuple[Given] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def call(self, given: Given) -> None:
        """Call the function once all before is done."""
        self._calls.put((given,))

    def end(self) -> None:
        """Let the thread end after the calls so far; does not wait for it."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            found = self._function(*call)
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._then, found)
            del call, found  # not held while the next is awaited
