"""Batches that form while the engine is busy.

One engine call runs at a time, in a thread of its own, or, where it takes no longer than handing it
over, in the event loop. What arrives meanwhile is the next batch.
A picture alone on an idle server runs at once; if others have been accepted and are still being
decoded, it waits for them, at most ``wait`` seconds after it became ready.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from convatlas.serving.worker_thread import WorkerThread

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


class Batcher(Generic[Item, Answer]):
    """Runs items in batches of at most ``most``, first come first served.

    ``run`` answers a batch, one answer an item; ``quick``: it is called in the event loop.
    ``places`` bounds the items that are accepted and not answered. ``observe`` is told the size and
    the seconds of each batch that ran.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        most: int,
        wait: float,
        places: int,
        quick: bool = False,
        observe: Callable[[int, float], None] = lambda size, seconds: None,
    ) -> None:
        self._run, self._most, self._wait, self._places = run, most, wait, places
        self._observe, self.quick = observe, quick
        self._waiting: OrderedDict[Place[Item, Answer], None] = OrderedDict()
        self._batch: Sequence[Place[Item, Answer]] = ()  # in the engine
        self._engine: WorkerThread[Sequence[Item], Sequence[Answer] | BaseException] | None = None
        self._over: asyncio.Future[None] | None = None  # of `work`
        self._looks = False  # whether `_look` is called soon
        self._timer: asyncio.TimerHandle | None = None
        self._held = 0  # places taken
        self._coming = 0  # of these, whose item is not there yet
        self._rate = 0.0  # items a second while running, measured
        self._started = 0.0  # when the batch in the engine did
        self._stopped = self._failed = False

    @property
    def running_for(self) -> float:
        """Seconds that a batch has been in the engine; 0 if none is."""
        return time.perf_counter() - self._started if self._batch else 0.0

    @property
    def failed(self) -> bool:
        """Whether `work` has ended by an error, which the log has."""
        return self._failed

    @property
    def held(self) -> int:
        """Items accepted and not answered."""
        return self._held

    def room(self, count: int = 1) -> None:
        """Raise `Full` if there is no room for that many items."""
        if self._held + count > self._places:
            raise Full(self.seconds_to_clear())

    def claim(self, count: int) -> tuple["Place[Item, Answer]", ...]:
        """Places for so many items, all or none; raises `Full`.

        A place is free again when its item is answered, or is given back.
        """
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
        """Run batches until cancelled. By an error of its own it ends as by `stop`."""
        over = asyncio.get_running_loop().create_future()
        try:
            if not self.quick:
                self._engine = WorkerThread(self._answers, self._ended, "engine")
            self._over = over
            self._soon()
            await over
        except Exception:
            LOG.critical("no more batches are run", exc_info=True)
            self._failed = True
        finally:
            if self._engine:
                self._engine.end()
            self.stop()
            _refuse(self._batch)

    def stop(self) -> None:
        """Refuse what waits and what is still to come; a batch that runs is answered."""
        self._stopped = True
        _refuse(tuple(self._waiting))

    def put(self, place: "Place[Item, Answer]") -> None:
        """A place has its item; `Place` calls this."""
        self._coming -= 1
        if self._stopped:
            place.settle(Stopped())
            return
        self._waiting[place] = None
        self._soon()

    def leave(self, place: "Place[Item, Answer]", *, came: bool) -> None:
        """A place is free again, and what waited in it is dropped; `Place` calls this."""
        self._held -= 1
        self._coming -= not came
        self._waiting.pop(place, None)
        self._soon()

    def _soon(self) -> None:
        """See whether there is a batch, once all that comes at this moment has come."""
        if self._waiting and self._over and not self._batch and not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Run a batch if there is one to run, or see later."""
        with self._ending():
            self._begin()

    def _begin(self) -> None:
        self._looks = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch or not self._waiting or self._stopped:
            return
        if self._coming and len(self._waiting) < self._most:
            left = next(iter(self._waiting)).since + self._wait - time.perf_counter()
            if left > 0:
                self._timer = asyncio.get_running_loop().call_later(left, self._look)
                return
        self._started = time.perf_counter()  # before the batch: other threads ask `running_for`
        self._batch = self._take()
        items = [place.take() for place in self._batch]
        if self._engine:
            self._engine.call(items)
        else:
            self._ended(self._answers(items))

    def _take(self) -> tuple["Place[Item, Answer]", ...]:
        """The oldest places."""
        batch = tuple(islice(self._waiting, self._most))
        for place in batch:
            del self._waiting[place]
        return batch

    def _answers(self, items: Sequence[Item]) -> Sequence[Answer] | BaseException:
        """One answer an item, or why not."""
        try:
            found = self._run(items)
            if len(found) != len(items):
                raise RuntimeError(f"{len(found)} answers to a batch of {len(items)}")
        except BaseException as error:  # engines raise what they like; the next batch goes on
            return error
        return found

    def _ended(self, found: Sequence[Answer] | BaseException) -> None:
        """The engine is done with the batch."""
        with self._ending():
            if isinstance(found, BaseException):
                LOG.error("a batch of %d failed", len(self._batch), exc_info=found)
                for place in self._batch:
                    place.settle(EngineFailed())
            else:
                self._measure(len(self._batch), time.perf_counter() - self._started)
                for place, answer in zip(self._batch, found, strict=True):
                    place.settle(answer)
            self._batch = ()
            self._soon()

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        """An error in here ends `work`; asyncio would only log it, and no batch would run again."""
        try:
            yield
        except Exception as error:
            if self._over and not self._over.done():
                self._over.set_exception(error)

    def _measure(self, size: int, seconds: float) -> None:
        rate = size / max(seconds, 1e-6)
        self._rate = rate if not self._rate else (1 - NEWEST) * self._rate + NEWEST * rate
        self._observe(size, seconds)


class Place(Generic[Item, Answer]):
    """Room for one item, from its acceptance to its answer."""

    __slots__ = ("_answer", "_batcher", "_item", "_left", "since")

    def __init__(self, batcher: Batcher[Item, Answer]) -> None:
        self._batcher = batcher
        self._item: Item | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._left = False
        self.since = 0.0  # when the item came

    def answer(self, item: Item) -> asyncio.Future[Answer]:
        """Run the item in the next batch; fails with `EngineFailed` or `Stopped`.

        If the place is given back before that batch begins, the item is not run.
        """
        assert self._answer is None
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._item, self.since = item, time.perf_counter()
        self._batcher.put(self)
        return answer

    def take(self) -> Item:
        """The item, which is not held here any more."""
        item, self._item = self._item, None
        assert item is not None
        return item

    def settle(self, found: Answer | Exception) -> None:
        """The answer, or why there is none; frees the place."""
        assert self._answer is not None
        if not self._answer.done():
            if isinstance(found, Exception):
                self._answer.set_exception(found)
            else:
                self._answer.set_result(found)
        self.give_back()

    def give_back(self) -> None:
        """Free the place and drop what waits in it; once is enough, twice does no harm."""
        if self._left:
            return
        self._left = True
        self._item = None
        came = self._answer is not None
        self._batcher.leave(self, came=came)
        if self._answer is not None:
            self._answer.cancel()


def _refuse(places: Iterable[Place[Item, Answer]]) -> None:
    for place in places:
        place.settle(Stopped())
