import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data.convert import PIECE, with_channels
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.errors import UserError


def dataset(channels: int, *, count: int = 4) -> Dataset:
    generator = torch.Generator().manual_seed(channels)
    images = torch.randint(256, (count, channels, 3, 5), generator=generator, dtype=torch.uint8)
    pictures = Pictures(images, torch.arange(count))
    return Dataset("some", ("a", "b"), pictures, SealedTest(lambda: pictures), {"file": "00"})


def test_grey_becomes_colour_by_repeating() -> None:
    before = dataset(1)
    after = with_channels(before, 3)
    assert torch.equal(after.train.images, before.train.images.expand(-1, 3, -1, -1))
    assert after.train.labels is before.train.labels
    assert after.checksums == before.checksums


def test_colour_becomes_grey_exactly_as_pillow_does_it() -> None:
    before = dataset(3, count=PIECE + 3)
    after = with_channels(before, 1).train.images
    assert after.shape == (PIECE + 3, 1, 3, 5)
    for place in (0, PIECE - 1, PIECE + 2):
        picture = Image.fromarray(before.train.images[place].permute(1, 2, 0).numpy())
        np.testing.assert_array_equal(after[place, 0].numpy(), np.asarray(picture.convert("L")))


def test_the_test_part_stays_sealed_and_is_converted_when_opened() -> None:
    before = dataset(1)
    after = with_channels(before, 3)
    assert before.test.openings == ()
    assert after.test.open("eval").images.shape == (4, 3, 3, 5)
    assert [opening.by for opening in after.test.openings] == ["eval"]


def test_nothing_happens_where_the_channels_agree() -> None:
    before = dataset(3)
    assert with_channels(before, 3) is before


def test_other_counts_are_refused() -> None:
    with pytest.raises(UserError, match="channels is 4, expected 1"):
        with_channels(dataset(1), 4)
