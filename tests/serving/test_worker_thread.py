import asyncio
import gc
import threading
import weakref

from convatlas.serving.worker_thread import WorkerThread


class Thing:
    """Something that can be looked after."""


def test_calls_are_made_in_order_in_one_other_thread_and_nothing_is_kept() -> None:
    async def story() -> None:
        found: asyncio.Queue[int] = asyncio.Queue()
        threads: set[int] = set()

        def count(things: list[Thing]) -> int:
            threads.add(threading.get_ident())
            return len(things)

        def then(answer: int) -> None:
            assert threading.get_ident() not in threads
            found.put_nowait(answer)

        thread: WorkerThread[list[Thing], int] = WorkerThread(count, then, "counting")
        thing = Thing()
        gone = weakref.ref(thing)
        thread.call([thing] * 3)
        thread.call([])
        del thing
        assert [await found.get(), await found.get()] == [3, 0]
        gc.collect()
        assert gone() is None
        assert len(threads) == 1
        thread.end()
        while any(each.name == "counting" for each in threading.enumerate()):
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(story(), 60))
