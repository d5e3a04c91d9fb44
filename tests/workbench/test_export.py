import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import convatlas
from convatlas.data.load import load
from convatlas.data.split import split
from convatlas.errors import UserError
from convatlas.runtime.bundle import array, prepare, read_bundle
from convatlas.runtime.export import export as write
from convatlas.runtime.onnx_file import Form
from convatlas.workbench.ask import Sizes
from convatlas.workbench.export import Given, export, network_of


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    return convatlas.train("lenet-bn", f"folder:{pictures}", out=out).folder.path


def test_the_time_it_took_has_the_making_of_the_network_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_writing = []

    def slow(*given: Any) -> Any:
        time.sleep(0.1)
        return network_of(*given)

    def timed(*given: Any) -> Any:
        receipt = write(*given)
        of_writing.append(receipt.seconds)
        return receipt

    monkeypatch.setattr("convatlas.workbench.export.network_of", slow)
    monkeypatch.setattr("convatlas.runtime.export.export", timed)
    receipt = export("lenet-relu", out=tmp_path / "n")
    assert receipt.seconds > of_writing[0] + 0.1


@pytest.mark.slow
def test_weights_in_a_librarys_layout_are_prepared_as_it_does(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    convatlas.save_weights(convatlas.create("resnet18"), path, "torchvision", name="resnet18")
    found = network_of("resnet18", Given(weights=path))
    assert found.preparation
    assert (found.preparation.side, found.preparation.crop) == (256, 224)
    assert array(found.preparation.mean).ravel() == pytest.approx([0.485, 0.456, 0.406])
    assert "torchvision evaluates" in found.source["preparation"]


def test_a_run_brings_its_labels_its_preparation_and_pictures_it_was_validated_on(
    run: Path, pictures: Path, tmp_path: Path
) -> None:
    found = network_of(str(run))
    trained = convatlas.load_run(run)
    assert found.labels == trained.card.classes
    assert str(trained.card.weights_sha256) in found.source["weights"]
    data = load(f"folder:{pictures}")
    held = split(data.train, trained.card.recipe.validation)[1].images.numpy()
    assert found.pictures is not None
    assert 4 <= len(found.pictures) <= 8
    assert all(any((shown == each).all() for each in held) for shown in found.pictures)
    assert found.source["pictures"] == f"folder:{pictures.name}, not its test part"
    receipt = export(str(run), out=tmp_path / "net", form=Form(fused=True))
    assert [c.inputs for c in receipt.card.compared][-1] == f"{len(found.pictures)} real"
    assert receipt.error < 1e-4
    assert convatlas.load_run(run).card.test_openings == trained.card.test_openings


def test_a_run_whose_data_is_gone_or_changed_is_exported_all_the_same(
    run: Path, pictures: Path
) -> None:
    gone = pictures.rename(pictures.with_name("gone"))
    try:
        assert network_of(str(run)).pictures is None
    finally:
        gone.rename(pictures)
    more = pictures / "left" / "more.png"
    more.write_bytes((pictures / "left" / "00.png").read_bytes())
    try:
        assert network_of(str(run)).pictures is None
    finally:
        more.unlink()
    shown = network_of(str(run), Given(pictures=pictures / "left"))
    assert shown.pictures is not None
    assert shown.source["pictures"] == "folder:left"


def test_labels_and_preparation_go_into_the_bundle(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"class {n}\n" for n in range(10)))
    given = Given(labels=labels, mean=(0.25,), deviation=(0.5,), side=32)
    card = read_bundle(export("lenet-relu", out=tmp_path / "n", given=given).files[0]).card
    assert card.labels == tuple(f"class {n}" for n in range(10))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 1, 32, 32), np.uint8)
    expected = (pixels[..., 2:30, 2:30] / 255 - 0.25) / 0.5
    np.testing.assert_allclose(prepare(card, pixels), expected, rtol=0, atol=1e-6)
    assert card.source["preparation"] == "mean, std and side as given"


def test_without_a_word_pixels_go_in_from_0_to_1() -> None:
    found = network_of("lenet-relu")
    assert found.preparation
    assert array(found.preparation.mean).ravel() == [0]
    assert array(found.preparation.deviation).ravel() == [1]
    assert found.preparation.side == 28
    assert found.labels == ()


def test_a_module_in_hand_is_exported_and_left_as_it_is(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(), nn.Flatten(), nn.Linear(64, 5))
    module.double().train()
    receipt = export(module, "onnx", tmp_path / "a.b", input=(3, 6, 6))
    assert receipt.files == (tmp_path / "a.b.onnx",)
    assert receipt.error < 1e-4
    assert module.training
    assert next(module.parameters()).dtype == torch.float64
    assert "float64 made float32" in receipt.card.source["weights"]


@pytest.mark.parametrize(
    ("what", "given", "said"),
    [
        ("lenet-rel", Given(), "did you mean"),
        ("runs/none", Given(), "there is no run folder runs/none"),
        ("lenet-relu", Given(input="1x28x30"), "built for squares"),
        ("lenet-relu", Given(input="big"), "no input size"),
        ("lenet-relu", Given(classes=0), "1 or more, given 0"),
        ("lenet-relu", Given(labels=Path("none.txt")), "there is no file none.txt"),
        ("lenet-relu", Given(pictures=Path("none")), "there is no folder none"),
        ("lenet-relu", Given(side=20), "^side 20 is less than the 28"),
        ("lenet-relu", Given(mean=(0.1, 0.2)), "^mean takes one number, given 2$"),
        ("lenet-relu", Given(deviation=(0.0,)), "^deviation takes numbers above 0, given 0"),
        (
            nn.Flatten(),
            Given(),
            r"Flatten does not say .*; give input, like input=\(3, 224, 224\)$",
        ),
        (nn.Flatten(), Given(input=(4, 4)), r"input of Flatten is .* like \(3, 224, 224\); given"),
        (nn.Flatten(), Given(input="3x4x4", classes=3), "^classes is for networks of"),
        (nn.Flatten(), Given(input="2x4x4", mean=(0.5,)), "squares of 1 or 3 channels"),
    ],
)
def test_mistakes_are_named(what: str | nn.Module, given: Given, said: str) -> None:
    with pytest.raises(UserError, match=said):
        network_of(what, given)


@pytest.mark.parametrize("size", ["3x4x4", (3, 4, 4), [3, 4, 4], ("3x4x4",)])
def test_an_input_is_text_or_numbers(size: Sizes) -> None:
    assert network_of(nn.Flatten(), Given(input=size)).shape == (3, 4, 4)


def test_the_side_of_a_built_in_network_is_a_number() -> None:
    assert network_of("nin-cifar", Given(input=48)).shape == (3, 48, 48)
    assert network_of("nin-cifar", Given(input=(1, 48, 48))).shape == (1, 48, 48)


@pytest.mark.parametrize("wrong", [{"form": "fuse"}, {"given": "3x4x4"}, {"int8": "mnist"}])
def test_arguments_of_another_kind_are_named(wrong: dict[str, Any], tmp_path: Path) -> None:
    [said] = wrong.values()
    with pytest.raises(UserError, match=rf"expected a convatlas\.\w+, given '{said}'"):
        export("lenet-relu", out=tmp_path / "n", **wrong)


def test_an_input_that_is_said_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="said twice"):
        export(nn.Flatten(), out=tmp_path / "n", given=Given(input="3x4x4"), input=(3, 4, 4))


def test_one_number_is_the_mean_of_every_channel() -> None:
    found = network_of("nin-cifar", Given(mean=0.5, deviation=1)).preparation
    assert found == network_of("nin-cifar", Given(mean=(0.5,) * 3, deviation=(1.0,))).preparation


def test_paths_are_taken_as_text_and_text_as_paths(run: Path, tmp_path: Path) -> None:
    (tmp_path / "ten").write_text("".join(f"class {n}\n" for n in range(10)))
    assert network_of("lenet-relu", Given(labels=str(tmp_path / "ten"))).labels[0] == "class 0"
    assert network_of(run).labels == network_of(str(run)).labels
    assert convatlas.load_run(str(run)).card == convatlas.load_run(run).card


def test_a_wrong_number_of_labels_is_named(tmp_path: Path) -> None:
    (tmp_path / "two").write_text("a\nb\n")
    with pytest.raises(UserError, match="two has 2 lines, lenet-relu has 10 classes"):
        network_of("lenet-relu", Given(labels=tmp_path / "two"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\n")
    with pytest.raises(UserError, match="no UTF-8"):
        network_of("lenet-relu", Given(labels=tmp_path / "bytes"))


@pytest.mark.parametrize("field", ["input", "weights", "labels", "deviation"])
def test_a_run_is_not_told_what_it_knows(run: Path, field: str) -> None:
    value = {"input": "28", "weights": Path("w"), "labels": Path("l"), "deviation": (0.5,)}[field]
    given = dataclasses.replace(Given(), **{field: value})
    with pytest.raises(UserError, match=f"has its own {field}; leave {field} out") as caught:
        network_of(str(run), given)
    option = field.replace("deviation", "std")
    assert caught.value.typed.endswith(f"has its own {option}; leave --{option} out")


def test_an_unfinished_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=r"holds no model\.safetensors; it can be resumed"):
        network_of(str(tmp_path / "run"))
