import torch

from convatlas.data.augment import Augment, random_windows


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def ramp(count: int, side: int = 8) -> torch.Tensor:
    """Pictures whose pixels are all different and not zero."""
    picture = torch.arange(1, side * side + 1, dtype=torch.uint8).view(1, 1, side, side)
    return picture.repeat(count, 1, 1, 1)


def test_shift_moves_each_picture_by_its_own_whole_pixels() -> None:
    before, after = ramp(200), Augment(shift=2)(ramp(200), generator())
    padded = torch.nn.functional.pad(before[0, 0], (2, 2, 2, 2))
    places = {(r, c): padded[r : r + 8, c : c + 8] for r in range(5) for c in range(5)}
    seen = set()
    for picture in after[:, 0]:
        matches = [place for place, window in places.items() if picture.equal(window)]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == set(places)  # 200 draws reach all 25 shifts, the extreme ones included


def test_flip_mirrors_about_half_of_the_pictures() -> None:
    before, after = ramp(400), Augment(flip=True)(ramp(400), generator())
    mirrored = [picture.equal(before[0].flip(2)) for picture in after]
    kept = [picture.equal(before[0]) for picture in after]
    assert all(m != k for m, k in zip(mirrored, kept, strict=True))
    assert 150 < sum(mirrored) < 250


def test_crop_is_random_when_training_and_central_when_evaluating() -> None:
    augment = Augment(crop=6)
    cropped = augment(ramp(100), generator())
    assert cropped.shape == (100, 1, 6, 6)
    assert len({int(corner) for corner in cropped[:, 0, 0, 0]}) == 9
    assert augment.centre(ramp(2)).equal(ramp(2)[..., 1:7, 1:7])


def test_all_channels_of_a_picture_move_together() -> None:
    colour = ramp(20).repeat(1, 3, 1, 1)
    after = random_windows(colour, (5, 5), generator())
    assert after[:, 0].equal(after[:, 1])
    assert after[:, 0].equal(after[:, 2])


def test_nothing_asked_for_changes_nothing() -> None:
    images = ramp(3)
    assert Augment()(images, generator()) is images
    assert Augment().centre(images) is images
