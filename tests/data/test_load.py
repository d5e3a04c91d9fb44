import dataclasses
from pathlib import Path

import pytest
import torch
from PIL import Image

from convatlas.data import load as load_module
from convatlas.data.cifar import CIFAR_10, CIFAR_100, Cifar
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.load import load
from convatlas.data.locate import Source
from convatlas.data.names import NAMES
from convatlas.errors import UserError


def tiny(name: str) -> Dataset:
    pictures = Pictures(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.arange(2))
    return Dataset(name, ("a", "b"), pictures, SealedTest(lambda: pictures), {})


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    def locate(source: Source) -> Path:
        return Path("/found", source.name)

    def cifar(kind: Cifar, folder: Path) -> Dataset:
        return tiny(f"{kind.source.name} {folder}")

    monkeypatch.setattr(load_module, "locate", locate)
    monkeypatch.setattr(load_module, "cifar", cifar)
    monkeypatch.setattr(load_module, "mnist", lambda: tiny("mnist in the package"))
    monkeypatch.setattr(load_module, "fashion_mnist", lambda folder: tiny(f"fashion {folder}"))


@pytest.mark.usefixtures("stand_ins")
def test_every_name_leads_to_its_set() -> None:
    assert [load(name).name for name in NAMES] == [
        "mnist in the package",
        "fashion /found/fashion-mnist",
        "cifar10 /found/cifar10",
        "cifar100 /found/cifar100",
    ]
    assert CIFAR_10.source.name in NAMES
    assert CIFAR_100.source.name in NAMES


@pytest.mark.parametrize(
    ("name", "near"), [("minst", "mnist"), ("CIFAR-10", "cifar10"), ("fashion_mnist", "fashion-")]
)
def test_an_unknown_name_gets_the_nearest_and_the_list(name: str, near: str) -> None:
    with pytest.raises(
        UserError, match=f"unknown data set '{name}'; did you mean '{near}"
    ) as error:
        load(name)
    assert all(known in str(error.value) for known in (*NAMES, "folder:PATH"))


def test_nothing_near() -> None:
    with pytest.raises(UserError, match="unknown data set 'zzz'; Known: mnist,"):
        load("zzz")


def test_a_path_without_its_prefix(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"did you mean folder:{tmp_path}"):
        load(str(tmp_path))


@pytest.mark.usefixtures("stand_ins")
def test_a_named_set_keeps_its_size() -> None:
    assert load("mnist", size=28).train.images.shape == (2, 1, 28, 28)
    with pytest.raises(UserError, match="mnist has pictures of 28 x 28, not 32 x 32"):
        load("mnist", size=32)


@pytest.mark.usefixtures("stand_ins")
def test_a_named_set_is_converted_to_other_channels() -> None:
    assert load("mnist", channels=3).train.images.shape == (2, 3, 28, 28)
    assert load("mnist", channels=3).test.open("eval").images.shape == (2, 3, 28, 28)
    with pytest.raises(UserError, match="channels is 2"):
        load("mnist", channels=2)


def test_a_folder_is_decoded_as_asked(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (6, 8), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    dataset = load(f"folder:{tmp_path}", size=4, channels=1)
    assert dataset.name == f"folder:{tmp_path}"
    assert dataset.train.images.shape == (4, 1, 4, 4)
    with pytest.raises(UserError, match="channels is 2"):
        load(f"folder:{tmp_path}", channels=2)


def test_a_prefix_without_a_path() -> None:
    with pytest.raises(UserError, match="'folder:' names no folder"):
        load("folder:")


def test_the_home_folder_can_be_abbreviated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match=f"{tmp_path}/none does not exist"):
        load("folder:~/none")


def test_a_data_set_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        tiny("x").name = "y"
