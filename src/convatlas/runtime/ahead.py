"""Work done in threads ahead of whoever takes the results, in order and within bounds."""

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_UP = 0.1  # seconds after which a full queue is looked at for a consumer that has gone


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int, window: int
) -> Generator[Result]:
    """The results in the order of the items; at most ``window`` are begun and not yet taken.

    The items are drawn in a thread of their own, so a result is there as soon as it is done, even
    if the next item is long in coming. What drawing an item raises is raised here, after the
    results of those before it. Closing the iterator ends the threads after what they are doing.
    """
    queue: Queue[Future[Result] | BaseException | None] = Queue(window)
    gone = threading.Event()
    with_threads = ThreadPoolExecutor(workers, "ahead")

    def put(what: Future[Result] | BaseException | None) -> None:
        while not gone.is_set():
            with suppress(Full):
                queue.put(what, timeout=LOOK_UP)
                break

    def feed() -> None:
        try:
            for item in items:
                if gone.is_set():
                    return
                put(with_threads.submit(work, item))
            put(None)
        except BaseException as error:
            put(error)

    # as a daemon, since it may wait for standard input for ever
    threading.Thread(target=feed, name="ahead-feed", daemon=True).start()
    try:
        while (found := queue.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found.result()
    finally:
        gone.set()
        with_threads.shutdown(wait=False, cancel_futures=True)
