from datetime import UTC, datetime, timedelta

import pytest
import torch

from convatlas.data.dataset import Pictures, SealedTest


def pictures() -> Pictures:
    return Pictures(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))


def test_nothing_is_read_before_the_seal_is_opened() -> None:
    reads: list[int] = []

    def read() -> Pictures:
        reads.append(1)
        return pictures()

    test = SealedTest(read)
    assert not reads
    assert test.openings == ()
    test.open("train")
    test.open("eval")
    assert len(reads) == 2
    assert [opening.by for opening in test.openings] == ["train", "eval"]


def test_an_opening_says_when_in_utc() -> None:
    test = SealedTest(pictures)
    test.open("eval")
    when = datetime.fromisoformat(test.openings[0].when)
    assert when.utcoffset() == timedelta(0)
    assert when.microsecond == 0
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=1)


def test_a_failed_reading_counts_as_an_opening() -> None:
    def fail() -> Pictures:
        raise OSError

    test = SealedTest(fail)
    with pytest.raises(OSError):  # noqa: PT011
        test.open("eval")
    assert len(test.openings) == 1
