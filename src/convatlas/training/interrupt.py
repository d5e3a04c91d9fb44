"""Ctrl-C: the first stops a run after its current step, the second at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from convatlas.training.card import Card
from convatlas.training.loop import Watcher
from convatlas.training.state import EpochRecord


class Interruptible:
    """A watcher that also wants to stop once Ctrl-C was pressed."""

    def __init__(self, inner: Watcher) -> None:
        self.inner = inner
        self.pressed = False

    def begin(self, card: Card) -> None:
        """Passed on."""
        self.inner.begin(card)

    def step(self, done: int, total: int, loss: float) -> None:
        """Passed on."""
        self.inner.step(done, total, loss)

    def epoch(self, record: EpochRecord) -> None:
        """Passed on."""
        self.inner.epoch(record)

    def wants_stop(self) -> bool:
        """Whether Ctrl-C was pressed or the inner watcher wants to stop."""
        return self.pressed or self.inner.wants_stop()


@contextmanager
def interruptible(inner: Watcher) -> Iterator[Watcher]:
    """Catch the first Ctrl-C while inside; outside the main thread, signals are left alone."""
    watcher = Interruptible(inner)
    if threading.current_thread() is not threading.main_thread():
        yield watcher
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if watcher.pressed:
            raise KeyboardInterrupt
        watcher.pressed = True

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield watcher
    finally:
        signal.signal(signal.SIGINT, before)
