"""Which pictures are decoded at once, and which in threads."""

import asyncio
import threading

import numpy as np
import pytest
from noise import encoded

from convatlas.data.decode import DecodeError, decode
from convatlas.runtime.classifier import Pictures
from convatlas.serving.budget import Budget, Sent
from convatlas.serving.decode_pool import TINY_BYTES, DecodePool
from convatlas.serving.multipart import Upload


def sent(blob: bytes) -> Sent:
    return Sent(Upload(None, blob), Budget(0))


def as_it_is(blob: bytes, most: int) -> Pictures:
    return decode(blob, channels=1, most=most)[None]


def test_a_tiny_picture_is_decoded_at_once() -> None:
    one = sent(encoded(0, 28, 28))
    pictures = DecodePool(as_it_is, 10**6, 1).at_once(one)
    assert pictures is not None
    assert pictures.shape == (1, 1, 28, 28)
    assert one.blob == b""


@pytest.mark.parametrize(
    "blob",
    [
        encoded(0, 65, 64),
        encoded(0, 28, 28) + bytes(TINY_BYTES),  # what follows a picture is not looked at
    ],
)
def test_one_of_many_pixels_or_bytes_is_not(blob: bytes) -> None:
    decoders = DecodePool(as_it_is, 10**6, 1)
    one = sent(blob)
    assert decoders.at_once(one) is None
    assert one.blob == blob

    async def story() -> Pictures:
        return await decoders.begin(one)

    pictures = asyncio.run(story())
    np.testing.assert_array_equal(pictures[0], decode(blob, channels=1))
    assert one.blob == b""
    decoders.end()


def test_more_pixels_than_are_taken_are_refused_wherever_it_is_decoded() -> None:
    decoders = DecodePool(as_it_is, 100, 1)

    async def story(one: Sent) -> Pictures | None:
        return decoders.at_once(one) or await decoders.begin(one)

    for blob in (encoded(0, 11, 10), encoded(0, 110, 100)):
        with pytest.raises(DecodeError, match="more than 100 pixels"):
            asyncio.run(story(sent(blob)))
    decoders.end()


def test_what_was_not_begun_is_not_decoded_once_nobody_waits() -> None:
    free, begun = threading.Event(), []

    def slow(blob: bytes, _most: int) -> Pictures:
        begun.append(blob)
        assert free.wait(60)
        return np.zeros((1, 1, 1, 1), np.uint8)

    async def story() -> None:
        decoders = DecodePool(slow, 10**6, 1)
        first, second, third = (sent(bytes([n])) for n in range(3))
        waiting = [decoders.begin(each) for each in (first, second, third)]
        while not begun:
            await asyncio.sleep(0.001)
        waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.sleep(0.01)
        assert (first.blob, second.blob) == (b"\0", b"")  # the first is being read
        free.set()
        await waiting[2]
        assert begun == [b"\0", b"\2"]
        assert first.blob == b""
        decoders.end()

    asyncio.run(asyncio.wait_for(story(), 60))
