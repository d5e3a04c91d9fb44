"""Batches that form while the engine is busy.

One engine call runs at a time, in a thread of its own. What arrives meanwhile is the next batch.
A picture alone on an idle server runs at once; if others have been accepted and are still being
decoded, it waits for them, at most ``wait`` seconds after it became ready.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

LOG = logging.getLogger("convatlas.serving")
NEWEST = 0.2  # weight of the newest batch in the measured rate
LONGEST_RETRY = 120  # seconds


class Full(Exception):
    """There is no room; try again after ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"no room for {seconds} s")
        self.seconds = seconds


class EngineFailed(Exception):
    """The engine could not run the batch that the item was in."""


class Stopped(Exception):
    """The batcher runs nothing more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[Item, Answer]):
    item: Item
    answer: asyncio.Future[Answer]
    since: float


class Batcher(Generic[Item, Answer]):
    """Runs items in batches of at most ``most``, first come first served.

    ``run`` answers a batch, one answer an item, and is called in one thread. ``places`` bounds the
    items that are accepted and not answered. ``observe`` is told the size and the seconds of each
    batch that ran.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        most: int,
        wait: float,
        places: int,
        observe: Callable[[int, float], None] = lambda size, seconds: None,
    ) -> None:
        self._run, self._most, self._wait, self._places = run, most, wait, places
        self._observe = observe
        self._waiting: deque[_Waiting[Item, Answer]] = deque()
        self._changed = asyncio.Event()
        self._held = 0  # places taken
        self._coming = 0  # of these, whose item is not there yet
        self._rate = 0.0  # items a second while running, measured
        self._stopped = False
        self._running = False

    @property
    def running(self) -> bool:
        """Whether a batch is in the engine."""
        return self._running

    @property
    def held(self) -> int:
        """Items accepted and not answered."""
        return self._held

    def room(self, count: int = 1) -> None:
        """Raise `Full` if there is no room for that many items."""
        if self._held + count > self._places:
            raise Full(self.seconds_to_clear())

    def claim(self, count: int) -> tuple["Place[Item, Answer]", ...]:
        """Places for so many items, all or none; raises `Full`. Each must be given back."""
        self.room(count)
        self._held += count
        self._coming += count
        return tuple(Place(self) for _ in range(count))

    def seconds_to_clear(self) -> int:
        """Seconds until what is held now is answered, at the measured rate; at least 1."""
        if not self._rate:
            return 1
        return min(max(1, math.ceil(self._held / self._rate)), LONGEST_RETRY)

    async def work(self) -> None:
        """Run batches until cancelled."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        try:
            while True:
                await self._gather()
                if batch := self._take():
                    await self._run_batch(thread, batch)
        finally:
            thread.shutdown(wait=False)  # waiting would hold up the event loop

    def stop(self) -> None:
        """Refuse what waits and what is still to come; a batch that runs is answered."""
        self._stopped = True
        for each in self._waiting:
            if not each.answer.done():
                each.answer.set_exception(Stopped())
        self._waiting.clear()

    def put(self, item: Item) -> asyncio.Future[Answer]:
        """An item in its place; `Place` calls this."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._stopped:
            answer.set_exception(Stopped())
        else:
            self._waiting.append(_Waiting(item, answer, time.perf_counter()))
        self._coming -= 1
        self._changed.set()
        return answer

    def leave(self, *, came: bool) -> None:
        """A place is free again; `Place` calls this."""
        self._held -= 1
        self._coming -= not came
        self._changed.set()

    async def _gather(self) -> None:
        """Wait until there is a batch to run."""
        while not self._waiting:
            await self._change(None)
        until = self._waiting[0].since + self._wait
        while self._waiting and self._coming and len(self._waiting) < self._most:
            left = until - time.perf_counter()
            if left <= 0:
                break
            await self._change(left)

    async def _change(self, seconds: float | None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _take(self) -> list[_Waiting[Item, Answer]]:
        """The oldest items that are still wanted."""
        batch: list[_Waiting[Item, Answer]] = []
        while self._waiting and len(batch) < self._most:
            each = self._waiting.popleft()
            if not each.answer.done():  # cancelled
                batch.append(each)
        return batch

    async def _run_batch(
        self, thread: ThreadPoolExecutor, batch: list[_Waiting[Item, Answer]]
    ) -> None:
        items = [each.item for each in batch]
        started = time.perf_counter()
        found = await asyncio.get_running_loop().run_in_executor(thread, self._answers, items)
        if isinstance(found, Exception):
            LOG.error("a batch of %d failed", len(batch), exc_info=found)
            for each in batch:
                if not each.answer.done():
                    each.answer.set_exception(EngineFailed())
            return
        self._measure(len(batch), time.perf_counter() - started)
        for each, answer in zip(batch, found, strict=True):
            if not each.answer.done():
                each.answer.set_result(answer)

    def _answers(self, items: Sequence[Item]) -> Sequence[Answer] | Exception:
        """One answer an item, or why not: an awaited thread cannot raise every exception."""
        self._running = True
        try:
            found = self._run(items)
            if len(found) != len(items):
                raise RuntimeError(f"{len(found)} answers to a batch of {len(items)}")
        except Exception as error:  # engines raise what they like; the next batch goes on
            return error
        finally:
            self._running = False
        return found

    def _measure(self, size: int, seconds: float) -> None:
        rate = size / max(seconds, 1e-6)
        self._rate = rate if not self._rate else (1 - NEWEST) * self._rate + NEWEST * rate
        self._observe(size, seconds)


class Place(Generic[Item, Answer]):
    """Room for one item, from its acceptance to its answer."""

    def __init__(self, batcher: Batcher[Item, Answer]) -> None:
        self._batcher = batcher
        self._came = self._left = False

    async def answer(self, item: Item) -> Answer:
        """Run the item in the next batch; raises `EngineFailed` or `Stopped`.

        If the caller is cancelled before that batch begins, the item is not run.
        """
        assert not self._came
        self._came = True
        return await self._batcher.put(item)

    def give_back(self) -> None:
        """Free the place; once is enough, twice does no harm."""
        if not self._left:
            self._left = True
            self._batcher.leave(came=self._came)
