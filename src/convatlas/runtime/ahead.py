"""Work done in threads ahead of whoever takes the results, in order and within bounds."""

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int, window: int
) -> Generator[Result]:
    """The results in the order of the items; at most ``window`` are begun and not yet taken.

    The items are drawn in a thread of their own, so a result is there as soon as it is done, even
    if the next item is long in coming; one more than the window is drawn. What drawing an item
    raises is raised here, after the results of those before it. Closing the iterator ends the
    threads after what they are doing.
    """
    queue: SimpleQueue[Future[Result] | BaseException | None] = SimpleQueue()
    places = threading.Semaphore(window)
    gone = threading.Event()
    with_threads = ThreadPoolExecutor(workers, "ahead")

    def feed() -> None:
        try:
            for item in items:
                places.acquire()
                if gone.is_set():
                    return
                queue.put(with_threads.submit(work, item))
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    # as a daemon, since it may wait for standard input for ever
    threading.Thread(target=feed, name="ahead-feed", daemon=True).start()
    try:
        while (found := queue.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            result = found.result()
            places.release()
            yield result
    finally:
        gone.set()
        places.release()  # for the thread that may wait for a place
        with_threads.shutdown(wait=False, cancel_futures=True)
