import gzip
import hashlib
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convatlas.data.idx import MOST_EXPANSION, PIECE, read_idx
from convatlas.errors import UserError

ARRAYS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=7))


def encode(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def read(blob: bytes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some-idx")
        path.write_bytes(blob)
        return read_idx(path)


@settings(deadline=None)  # files are touched: a loaded machine may be slow
@given(ARRAYS, st.booleans())
def test_any_shape_survives_the_round_trip(values: np.ndarray, packed: bool) -> None:
    blob = encode(values)
    got = read(gzip.compress(blob) if packed else blob)
    np.testing.assert_array_equal(got, values)
    assert got.flags.writeable


@settings(deadline=None)  # files are touched: a loaded machine may be slow
@given(ARRAYS, st.booleans(), st.data())
def test_a_file_cut_anywhere_is_refused(
    values: np.ndarray, packed: bool, data: st.DataObject
) -> None:
    blob = gzip.compress(encode(values)) if packed else encode(values)
    cut = data.draw(st.integers(0, len(blob) - 1))
    with pytest.raises(UserError, match="some-idx"):
        read(blob[:cut])


@settings(deadline=None)  # files are touched: a loaded machine may be slow
@given(ARRAYS, st.booleans(), st.binary(min_size=1, max_size=9))
def test_anything_after_the_values_is_refused(
    values: np.ndarray, packed: bool, more: bytes
) -> None:
    blob = encode(values) + more
    with pytest.raises(UserError, match="promises"):
        read(gzip.compress(blob) if packed else blob)


def test_anything_after_the_gzip_stream_is_refused() -> None:
    with pytest.raises(UserError, match="promises"):
        read(gzip.compress(encode(np.zeros(3, np.uint8))) + b"more")


@pytest.mark.parametrize(
    "head", [b"", b"\0\0", b"\0\0\x0d\x01", b"\0\0\x08\0", b"\x89PNG", b"\0\1\x08\1"]
)
def test_another_format_is_named_as_such(head: bytes) -> None:
    with pytest.raises(UserError, match="not an idx file of unsigned bytes"):
        read(head)


def test_a_header_that_is_cut_off() -> None:
    with pytest.raises(UserError, match="cut off inside its header"):
        read(b"\0\0\x08\x03\0\0\0\x01")


def test_an_absurd_promise_allocates_nothing() -> None:
    blob = struct.pack(">HBB2I", 0, 8, 2, 2**32 - 1, 2**32 - 1)
    with pytest.raises(UserError, match="18446744065119617025 values"):
        read(gzip.compress(blob))


def test_the_most_compressible_content_is_within_the_bound() -> None:
    values = np.zeros((50, PIECE), np.uint8)
    blob = gzip.compress(encode(values))
    assert math.prod(values.shape) < len(blob) * MOST_EXPANSION
    np.testing.assert_array_equal(read(blob), values)


def test_a_flipped_bit_inside_is_noticed() -> None:
    values = np.random.default_rng(0).integers(0, 255, (40, 5000), np.uint8)
    blob = bytearray(gzip.compress(encode(values)))
    blob[len(blob) // 2] ^= 16
    with pytest.raises(UserError, match="damaged"):
        read(bytes(blob))


def test_the_checksum_is_of_the_file_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(encode(np.arange(5, dtype=np.uint8))))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_idx(path, sha256=digest).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match=f"a.gz is damaged.*{digest}, expected 00"):
        read_idx(path, sha256="00")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.gz: No such file"):
        read_idx(tmp_path / "none.gz")


def test_reading_ahead_does_not_import_torch() -> None:
    code = (
        "import sys; from convatlas.data.shipped import read_mnist_train; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
