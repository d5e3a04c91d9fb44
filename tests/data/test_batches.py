import torch

from convatlas.data.augment import Augment
from convatlas.data.batches import Batches
from convatlas.data.dataset import Pictures


def batches(count: int, size: int, *, seed: int = 0, augment: Augment | None = None) -> Batches:
    pixels = torch.arange(count * 16, dtype=torch.int64) % 251
    images = pixels.to(torch.uint8).view(count, 1, 4, 4)
    pictures = Pictures(images, torch.arange(count))
    return Batches(pictures=pictures, size=size, seed=seed, augment=augment or Augment())


def test_an_epoch_shows_every_picture_once_in_nearly_equal_batches() -> None:
    labels = [batch for _, batch in batches(103, 20).epoch(0)]
    assert torch.cat(labels).sort().values.equal(torch.arange(103))
    assert sorted(len(batch) for batch in labels) == [17, 17, 17, 17, 17, 18]


def test_pictures_stay_with_their_labels() -> None:
    dealt = batches(30, 7)
    for images, labels in dealt.epoch(3):
        assert images.equal(dealt.pictures.images[labels])


def test_order_differs_by_epoch_and_seed_and_repeats_otherwise() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return torch.cat([labels for _, labels in batches(50, 10, seed=seed).epoch(epoch)]).tolist()

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_starting_in_the_middle_gives_the_same_batches_and_changes() -> None:
    dealt = batches(40, 8, augment=Augment(shift=1, flip=True))
    whole = list(dealt.epoch(2))
    rest = list(dealt.epoch(2, first=3))
    assert len(rest) == 2
    for (images, labels), (again, same) in zip(whole[3:], rest, strict=True):
        assert images.equal(again)
        assert labels.equal(same)
