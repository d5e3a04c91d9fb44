import dataclasses
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image
from runnable import network

import convatlas
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.decode import decode
from convatlas.data.idx_sets import mnist
from convatlas.data.load import load
from convatlas.data.split import split
from convatlas.errors import UserError
from convatlas.runtime.int8 import sample as sampling
from convatlas.runtime.int8.sample import Sample, gather, most_judged
from convatlas.runtime.network import Network
from convatlas.training.recipes import recipe_for
from convatlas.workbench.export import network_of
from convatlas.workbench.int8 import Int8, plan


@pytest.fixture
def small() -> Network:
    return network("lenet-bn", prepared=True)


def numbered(folder: Path, count: int, first: int = 0) -> Path:
    """Grey pictures that say their number in every pixel."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        Image.new("L", (40, 40), number).save(folder / f"{number}.png")
    return folder


def numbers(pictures: np.ndarray) -> list[int]:
    return [int(each.flat[0]) for each in pictures]


def test_no_picture_is_both_calibrated_on_and_judged_by(small: Network, tmp_path: Path) -> None:
    found = gather(f"folder:{numbered(tmp_path, 90)}", small)
    calibrating, judged = numbers(found.calibrating), numbers(found.judged)
    assert len(calibrating) == 30
    assert sorted(calibrating + judged) == list(range(90))
    assert found.labels is None
    assert found.unknown == "the pictures have no labels"
    assert found.data == f"folder:{tmp_path.name}"  # a card does not say where it lies
    again = gather(f"folder:{tmp_path}", small)
    assert numbers(again.calibrating) == calibrating


def test_of_a_folder_with_classes_the_test_part_is_not_opened(
    small: Network, tmp_path: Path
) -> None:
    numbered(tmp_path / "train" / "a", 40)
    numbered(tmp_path / "train" / "b", 40, 100)
    (tmp_path / "val" / "a").mkdir(parents=True)
    (tmp_path / "val" / "a" / "broken.png").write_bytes(b"no picture")
    known = dataclasses.replace(small, labels=tuple("ba") + tuple("cdefghij"))
    found = gather(f"folder:{tmp_path}", known)
    assert len(found.calibrating) + len(found.judged) == 80
    assert found.labels is not None
    wanted = [1 if number < 100 else 0 for number in numbers(found.judged)]
    assert found.labels.tolist() == wanted  # as the network counts: b, a, ...


def test_a_named_set_is_divided_and_stays_sealed(
    digits: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SealedTest, "open", lambda *_: pytest.fail("the test part was opened"))
    found = gather("mnist", digits)
    kept, held = split(mnist().train, sampling.HELD)
    assert found.part == "a fifth of its training part"
    assert rows(found.calibrating) <= rows(kept.images.numpy())
    assert rows(found.judged) <= rows(held.images.numpy())
    assert not rows(found.calibrating) & rows(found.judged)
    assert found.labels is not None
    assert len(found.labels) == len(found.judged) == sampling.JUDGED


def test_a_run_is_judged_by_what_it_held_out(pictures: Path, tmp_path: Path) -> None:
    data = f"folder:{pictures}"
    recipe = msgspec.structs.replace(recipe_for("lenet-bn", None), validation=0.3)
    run = convatlas.train("lenet-bn", data, recipe=recipe, out=tmp_path / "run").folder.path
    found = plan(str(run), network_of(str(run)), Int8(data=data)).sample
    kept, held = split(load(data).train, 0.3)
    assert found.part == "the run's validation part"
    assert rows(found.judged) == rows(held.images.numpy())
    assert rows(found.calibrating) == rows(kept.images.numpy())
    assert found.labels is not None
    assert found.labels.tolist() == held.labels.tolist()


def test_a_run_that_held_nothing_out_says_so(digits: Network) -> None:
    whole = mnist()
    trained = sampling.Trained(
        data="mnist", checksums=whole.checksums, size=None, validation=0.0, seed=0
    )
    assert gather("mnist", digits, trained).part.endswith("which the run was trained on")


def test_pictures_come_at_the_size_files_are_decoded_at(tmp_path: Path) -> None:
    resnet = network("resnet18", 64, prepared=True)  # side 67, colour
    found = gather("mnist", resnet)
    held = split(mnist().train, sampling.HELD)[1].images.numpy()
    assert found.judged.shape == (sampling.JUDGED, 3, 67, 67)
    order = np.sort(np.random.default_rng(sampling.SPLIT_SEED).permutation(len(held))[:5000])
    file = tmp_path / "digit.png"
    Image.fromarray(held[order[7], 0]).save(file)
    assert (found.judged[7] == decode(file, channels=3, size=67)).all()


def test_memory_is_bounded(small: Network) -> None:
    large = network("resnet18", 224, prepared=True)
    assert most_judged(small) == sampling.JUDGED
    assert most_judged(large) * 3 * 227**2 <= sampling.JUDGED_BYTES


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": {"weights": "drawn at random (seed 0)"}}, "weights are drawn"),
        ({"labels": tuple("abcdefghij")}, "the classes of the data are not the network's"),
        ({"labels": ()}, ""),  # ten of each: counted alike
        ({"labels": tuple("9876543210")}, ""),
    ],
)
def test_when_the_accuracy_is_unknown(small: Network, change: dict[str, object], said: str) -> None:
    found = gather("mnist", dataclasses.replace(small, **change))  # type: ignore[arg-type]
    assert (found.labels is None) == bool(said)
    assert said in found.unknown
    assert found.by_number == (not change.get("labels"))


def test_files_that_are_no_pictures_are_left_out(small: Network, tmp_path: Path) -> None:
    numbered(tmp_path, 60)
    for number in range(200, 230):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    found = gather(f"folder:{tmp_path}", small)
    assert sorted(numbers(found.calibrating) + numbers(found.judged)) == list(range(60))


def test_mistakes_are_named(small: Network, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown data set 'mnst'; did you mean 'mnist'"):
        gather("mnst", small)
    with pytest.raises(UserError, match="did you mean folder:"):
        gather(str(tmp_path), small)
    with pytest.raises(UserError, match="does not exist"):
        gather(f"folder:{tmp_path / 'none'}", small)
    with pytest.raises(UserError, match=r"gives 4 pictures to calibrate int8 on and 8 others"):
        gather(f"folder:{numbered(tmp_path / 'few', 12)}", small)
    with pytest.raises(UserError, match="nothing to calibrate int8 on"):
        gather("mnist", dataclasses.replace(small, preparation=None))


def test_pictures_that_are_no_squares_are_refused(
    small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mnist()
    flat = Pictures(whole.train.images[:100, :, :20], whole.train.labels[:100])
    odd = Dataset("odd", whole.classes, flat, whole.test, {})
    monkeypatch.setattr(sampling, "load", lambda *_, **__: odd)
    with pytest.raises(UserError, match="20x28 are no squares"):
        gather("mnist", small)


def rows(pictures: np.ndarray) -> set[bytes]:
    return {each.tobytes() for each in pictures}


def test_the_parts_of_the_fixture_are_apart(sample: Sample) -> None:
    assert not rows(sample.calibrating) & rows(sample.judged)
