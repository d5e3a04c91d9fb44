"""Pictures decoded in threads; tiny ones at once, as handing them over would cost more."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from convatlas.data.decode import TooLarge
from convatlas.runtime.classifier import Pictures
from convatlas.serving.budget import Sent

# A tiny picture: not even one that was made to be slow holds the others up for 10 ms.
TINY_BYTES, TINY_PIXELS = 16 * 2**10, 64 * 64


class DecodePool:
    """``decode`` takes a file and how many pixels it may have, ``most`` but for the tiny ones."""

    def __init__(self, decode: Callable[[bytes, int], Pictures], most: int, threads: int) -> None:
        self._decode, self._most = decode, most
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def at_once(self, sent: Sent) -> Pictures | None:
        """A tiny picture, decoded here; ``None`` for others. Raises what decoding does."""
        if len(sent.blob) > TINY_BYTES:
            return None
        try:
            found = self._decode(sent.blob, min(TINY_PIXELS, self._most))
        except TooLarge:
            return None
        except BaseException:
            sent.drop()
            raise
        sent.drop()
        return found

    def begin(self, sent: Sent) -> asyncio.Future[Pictures]:
        """Decode in a thread. The bytes are dropped when that has ended, or will never begin."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Pictures] = loop.create_future()
        job = self._threads.submit(self._work, sent)

        def ended(_job: Future[Pictures]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(_settle, job, sent, answer)

        job.add_done_callback(ended)
        answer.add_done_callback(lambda answer: job.cancel())
        return answer

    def end(self) -> None:
        """Begin nothing more; does not wait for what is being decoded."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _work(self, sent: Sent) -> Pictures:
        return self._decode(sent.blob, self._most)


def _settle(job: Future[Pictures], sent: Sent, answer: asyncio.Future[Pictures]) -> None:
    sent.drop()
    if answer.done():
        return
    if job.cancelled():
        answer.cancel()
    elif (error := job.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(job.result())
