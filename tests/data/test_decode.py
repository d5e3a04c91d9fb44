import io
import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convatlas.data.decode import ORIENTATION, DecodeError, Peek, TooLarge, decode, peek

RED, GREY_OF_RED = (255, 0, 0), 76
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def png(width: int, height: int, *, depth: int = 8, colour: int = 0, rows: bytes = b"") -> bytes:
    """A PNG written by hand, for what Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_in_grey_and_colour(kind: str) -> None:
    colour, grey = Image.new("RGB", (5, 3), RED), Image.new("L", (5, 3), 90)
    rgb = decode(encode(colour, kind), channels=3)
    assert (rgb.shape, rgb.dtype) == ((3, 3, 5), np.uint8)
    np.testing.assert_allclose(rgb.mean((1, 2)), RED, atol=3)
    np.testing.assert_allclose(decode(encode(colour, kind), channels=1), GREY_OF_RED, atol=3)
    np.testing.assert_allclose(decode(encode(grey, kind), channels=3), 90, atol=1)
    assert decode(encode(grey, kind), channels=1).shape == (1, 3, 5)


def test_rows_columns_and_channels_are_not_mixed_up() -> None:
    image = noise(7, 4)
    pixels = decode(encode(image), channels=3)
    np.testing.assert_array_equal(pixels.transpose(1, 2, 0), np.asarray(image))
    assert pixels.flags.c_contiguous
    for channels in (1, 3):
        assert decode(encode(image), channels=channels).flags.writeable


def test_a_path_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(noise(4, 4)))
    np.testing.assert_array_equal(decode(path, channels=3), decode(path.read_bytes(), channels=3))
    assert peek(path) == peek(path.read_bytes())


def test_a_palette_picture() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    assert decode(encode(image), channels=3)[:, 0].T.tolist() == [[10, 20, 30], [40, 50, 60]]


def test_transparency_in_a_palette_is_laid_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    blob = encode(image, transparency=bytes([0, 51]))  # invisible, and one fifth there
    assert decode(blob, channels=3)[:, 0].T.tolist() == [[255, 255, 255], [244, 224, 204]]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_colour_is_laid_on_white(kind: str) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    blob = encode(image, kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert decode(blob, channels=3)[:, 0].T.tolist() == [[255, 255, 255], [10, 20, 30]]


def test_transparent_grey_is_laid_on_white_and_stays_grey() -> None:
    image = Image.new("LA", (2, 1), (0, 0))
    image.putpixel((1, 0), (90, 255))
    blob = encode(image)
    assert peek(blob).grey
    assert decode(blob, channels=1).tolist() == [[[255, 90]]]


@pytest.mark.parametrize(
    ("mode", "hidden", "shown", "expected"),
    [("1", 0, 1, [255, 255]), ("L", 7, 90, [255, 90]), ("RGB", (0, 0, 9), (90,) * 3, [255, 90])],
)
def test_one_colour_declared_transparent(
    mode: str, hidden: object, shown: object, expected: list[int]
) -> None:
    image = Image.new(mode, (2, 1), hidden)
    image.putpixel((1, 0), shown)
    assert decode(encode(image, transparency=hidden), channels=1).tolist() == [[expected]]


def test_one_bit_becomes_black_and_white() -> None:
    image = Image.new("1", (3, 1))
    image.putpixel((1, 0), 1)
    assert decode(encode(image), channels=1).tolist() == [[[0, 255, 0]]]
    assert peek(encode(image)).grey


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    wide = np.array([[0, 128, 129, 257, 32768, 65406, 65535]], np.uint16)
    blob = encode(Image.fromarray(wide))
    assert decode(blob, channels=1).tolist() == [[[0, 0, 1, 1, 128, 254, 255]]]
    assert decode(blob, channels=3).shape == (3, 1, 7)
    assert peek(blob) == Peek(7, 1, grey=True)


def test_sixteen_bit_grey_with_a_transparent_value() -> None:
    wide = np.array([[500, 65535 // 2]], np.uint16)
    blob = encode(Image.fromarray(wide), transparency=500)
    assert decode(blob, channels=1).tolist() == [[[255, 127]]]


def test_sixteen_bit_colour_keeps_its_high_bytes() -> None:
    rows = b"\0" + struct.pack(">3H", 0x12FF, 0x8000, 0xFFFF)
    assert decode(png(1, 1, depth=16, colour=2, rows=rows), channels=3).ravel().tolist() == [
        *(0x12, 0x80, 0xFF)
    ]


def test_a_cmyk_jpeg() -> None:
    blob = encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    np.testing.assert_allclose(decode(blob, channels=3).mean((1, 2)), RED, atol=6)
    assert not peek(blob).grey


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_in_exif_is_applied(kind: str, orientation: int) -> None:
    upright = Image.new("L", (16, 32))
    upright.paste(255, (0, 0, 8, 8))  # its top left corner is bright
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    blob = encode(stored, kind, exif=exif)
    pixels = decode(blob, channels=1)[0]
    assert pixels.shape == (32, 16)
    assert pixels[:8, :8].mean() > 240
    assert pixels[8:, 8:].mean() < 15
    assert (peek(blob).width, peek(blob).height) == (16, 32)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame(kind: str) -> None:
    later = [Image.new("RGB", (4, 4), (0, 0, 255))]
    first = Image.new("RGB", (4, 4), RED)
    blob = encode(first, kind, save_all=True, append_images=later, duration=50)
    np.testing.assert_allclose(decode(blob, channels=3).mean((1, 2)), RED, atol=3)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.8])
def test_a_file_cut_off(kind: str, keep: float) -> None:
    blob = encode(noise(64, 64), kind)
    with pytest.raises(DecodeError, match="broken or cut off") as caught:
        decode(blob[: int(keep * len(blob))], channels=3)
    assert "\n" not in caught.value.reason


@settings(deadline=None)  # a loaded machine may be slow
@given(st.sampled_from(FORMATS), st.data())
def test_damage_is_decoded_or_refused_but_never_crashes(kind: str, data: st.DataObject) -> None:
    blob = bytearray(encode(noise(9, 9), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = decode(bytes(blob), channels=3)
    except DecodeError:
        return
    assert pixels.ndim == 3


@pytest.mark.parametrize("error", [MemoryError(), OSError("out of memory when reading image file")])
def test_no_memory_is_not_the_files_fault(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_image: object) -> None:
        raise error

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(MemoryError):
        decode(encode(noise(9, 9)), channels=3)


@pytest.mark.parametrize(("error", "lines"), [(SyntaxError("cut"), 0), (AttributeError("ours"), 1)])
def test_a_failure_of_a_kind_that_files_do_not_cause_is_logged(
    error: Exception,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def load(_image: object) -> None:
        raise error

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with caplog.at_level(logging.WARNING), pytest.raises(DecodeError, match="broken or cut off"):
        decode(encode(noise(9, 9)), channels=3)
    assert len(caplog.records) == lines


@pytest.mark.parametrize(("kind", "value"), [(2, b"6\0\0\0"), (3, b"\0\x63\0\0"), (7, b"\6\6\6\6")])
def test_a_rotation_that_is_none_is_no_rotation(kind: int, value: bytes) -> None:
    """A text, a number that means nothing, and bytes."""
    entry = struct.pack(">HHI", ORIENTATION, kind, 2 if kind == 2 else 1) + value
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    blob = encode(Image.new("L", (3, 2)), "JPEG", exif=exif)
    assert peek(blob) == Peek(3, 2, grey=True)
    assert decode(blob, channels=1).shape == (1, 2, 3)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(DecodeError, match="the file is empty"):
        decode(tmp_path / "a.png", channels=1)


@pytest.mark.parametrize("blob", [b"hello", b"GIF89a" + bytes(50), b"RIFF1234WAVE", b"\xff\xd8"])
def test_not_a_picture(blob: bytes) -> None:
    with pytest.raises(DecodeError, match="not a JPEG, PNG, WebP or BMP picture"):
        decode(blob, channels=1)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="cannot be read: No such file"):
        decode(tmp_path / "none.png", channels=1)


@pytest.mark.parametrize("side", [8001, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    """Below, above and far above the limits at which Pillow warns and refuses."""
    blob = png(side, side)
    for look in (lambda: decode(blob, channels=1), lambda: peek(blob)):
        with pytest.raises(DecodeError, match=f"{side} x {side} is more than 64 million pixels"):
            look()


def test_fewer_pixels_may_be_taken() -> None:
    blob = encode(noise(8, 5))
    assert decode(blob, channels=1, most=40).shape == (1, 5, 8)
    with pytest.raises(TooLarge, match="8 x 5 is more than 39 pixels"):
        decode(blob[:60], channels=1, most=39)  # cut off, which would be found out later


def test_a_colour_mode_we_do_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convatlas.data.decode.COLOUR", ("P",))
    with pytest.raises(DecodeError, match="colour mode RGB is not supported"):
        decode(encode(noise(2, 2)), channels=3)


def test_a_palette_of_greys_counts_as_grey() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 10, 10, 40, 40, 40])
    assert peek(encode(image)).grey
    image.putpalette([10, 10, 10, 40, 40, 41])
    assert not peek(encode(image)).grey


@pytest.mark.parametrize(("width", "height"), [(6, 6), (12, 6), (6, 12), (7, 6), (3, 5)])
def test_the_centre_square_at_the_size_asked_for(width: int, height: int) -> None:
    assert decode(encode(noise(width, height)), channels=3, size=4).shape == (3, 4, 4)


def test_what_lies_beside_the_centre_square_is_cut() -> None:
    image = Image.new("L", (12, 4))
    image.paste(200, (3, 0, 9, 4))
    assert np.unique(decode(encode(image), channels=1, size=2)).tolist() == [200]


def test_the_centre_square_is_what_resizing_all_and_then_cutting_gives() -> None:
    image = noise(48, 16)
    resized = np.asarray(image.resize((24, 8), Image.Resampling.BILINEAR))
    pixels = decode(encode(image), channels=3, size=8)
    np.testing.assert_array_equal(pixels.transpose(1, 2, 0), resized[:, 8:16])


def test_making_smaller_is_antialiased() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    small = decode(encode(Image.fromarray(stripes)), channels=1, size=8)
    assert 110 < small.min() <= small.max() < 145


def test_a_size_that_needs_no_change_changes_nothing() -> None:
    image = noise(9, 5)
    pixels = decode(encode(image), channels=3, size=5)
    np.testing.assert_array_equal(pixels.transpose(1, 2, 0), np.asarray(image)[:, 2:7])


def test_a_very_long_picture_takes_no_memory() -> None:
    blob = encode(Image.new("L", (1, 50_000), 9))
    assert decode(blob, channels=1, size=512).shape == (1, 512, 512)
