"""Pictures that are mostly scans, refused before they cost anything."""

import io
import struct

import numpy as np
import pytest
from noise import encoded
from PIL import Image

from convatlas.data.decode import DecodeError, decode
from convatlas.data.jpeg_scans import MOST_SCANS, too_many_scans

BITS = bytes([1, *[0] * 15])  # of a Huffman table: one code, of one bit
END = b"\xff\xd9"


def segment(code: int, content: bytes) -> bytes:
    return bytes([0xFF, code]) + struct.pack(">H", len(content) + 2) + content


EMPTY = segment(0xDA, b"\1\1\0\1\x3f\0")


def grey(scans: int, between: bytes = b"") -> bytes:
    """A progressive picture of 16 x 16 pixels in so many scans, all but the first empty."""
    frame = segment(0xC2, b"\x08" + struct.pack(">HH", 16, 16) + b"\1\1\x11\0")
    tables = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC4, b"\0" + BITS + b"\0")
    first = segment(0xC4, b"\x10" + BITS + b"\xe0") + segment(0xDA, b"\1\1\0\0\0\0") + bytes(4)
    return b"\xff\xd8" + tables + frame + first + (between + EMPTY) * (scans - 1) + END


def test_as_many_as_are_taken_are_decoded_and_one_more_is_refused() -> None:
    assert decode(grey(MOST_SCANS), channels=1).shape == (1, 16, 16)
    with pytest.raises(DecodeError, match=f"more than {MOST_SCANS} scans; save it again"):
        decode(grey(MOST_SCANS + 1), channels=1)


@pytest.mark.parametrize(
    "between",
    [
        *(b"\xff\xd3", b"\xff\xff", b"\xff\x00", b"x"),  # a restart, filling, data, dirt
        *(segment(0xFE, END), segment(0xE1, b"x" * 300), b"\xff\xfe\x00\x00"),  # comments
        b"\xff\x02\xff\xff",  # a marker that is none has no length
    ],
)
def test_what_stands_between_hides_no_scan(between: bytes) -> None:
    assert too_many_scans(grey(MOST_SCANS + 1, between))
    assert not too_many_scans(grey(MOST_SCANS, between))


def test_what_looks_like_one_in_a_comment_or_behind_the_end_is_none() -> None:
    comment = segment(0xFE, EMPTY * 200)
    plain = encoded(0, 30, 20, "JPEG")
    noted = plain[:2] + comment + plain[2:] + EMPTY * 200
    expected = decode(plain, channels=3)
    np.testing.assert_array_equal(decode(noted, channels=3), expected)


def test_real_pictures_have_few() -> None:
    file = io.BytesIO()
    Image.effect_noise((300, 200), 90).convert("RGB").save(file, "JPEG", progressive=True)
    assert 5 < file.getvalue().count(b"\xff\xda") < 20
    assert not too_many_scans(file.getvalue())


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_one_that_is_cut_off_has_an_end(cut: int) -> None:
    assert too_many_scans(grey(MOST_SCANS + 2)[:-cut])
