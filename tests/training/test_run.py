import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load, save

from convatlas.cli.result import closing_lines
from convatlas.errors import UserError
from convatlas.training.archive import load_archive
from convatlas.training.check import check
from convatlas.training.loop import Silent
from convatlas.training.prepare import Request
from convatlas.training.recipe import Recipe
from convatlas.training.run import RunFolder, load_run, read_metrics
from convatlas.training.tensorfile import read_tensors, write_tensors
from convatlas.training.train import train


@pytest.fixture
def run(pictures: Path, tmp_path: Path) -> RunFolder:
    recipe = Recipe(name="short", epochs=1, batch=16, lr=0.05, validation=0.2)
    asked = Request(network="lenet-relu", data=f"folder:{pictures}", recipe=recipe)
    return train(asked, RunFolder(tmp_path / "run"), Silent()).folder


def cut(blob: bytes) -> bytes:
    return blob[: len(blob) // 2]


def flip_last_bit(blob: bytes) -> bytes:
    return blob[:-1] + bytes([blob[-1] ^ 1])


def not_tensors(_: bytes) -> bytes:
    return b"these are not the weights you are looking for"


def future_format(blob: bytes) -> bytes:
    strings = read_strings(blob)
    card = {**msgspec.json.decode(strings["card"]), "format": 99}
    return save(load(blob), {**strings, "card": msgspec.json.encode(card).decode()})


def read_strings(blob: bytes) -> dict[str, str]:
    size = int.from_bytes(blob[:8], "little")
    strings: dict[str, str] = msgspec.json.decode(blob[8 : 8 + size])["__metadata__"]
    return strings


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (cut, "is damaged"),
        (flip_last_bit, "is damaged: its tensors do not have the checksum in its header"),
        (not_tensors, "is damaged"),
        (future_format, "has card format 99, this ConvAtlas reads 1"),
    ],
)
def test_a_harmed_model_file_is_one_clear_line(
    harm: Callable[[bytes], bytes], message: str, run: RunFolder
) -> None:
    run.model.write_bytes(harm(run.model.read_bytes()))
    with pytest.raises(UserError, match=message) as caught:
        load_run(run.path)
    assert str(run.model) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folders_that_are_no_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no run folder"):
        load_run(tmp_path / "none")
    with pytest.raises(UserError, match=r"holds no model.safetensors; is it a run folder"):
        load_run(tmp_path)


def test_harmed_metrics(run: RunFolder) -> None:
    run.metrics.write_text('{"epoch": "one"}\n')
    with pytest.raises(UserError, match=r"metrics\.jsonl is damaged"):
        read_metrics(run)


def test_an_evaluation_of_the_test_part_is_noted_on_the_card(run: RunFolder) -> None:
    before = load_run(run.path)
    checked = check(before)
    after = load_run(run.path).card
    assert [opening.by for opening in after.test_openings] == ["train, after the last step", "eval"]
    assert after == checked.card
    assert before.card.test is not None
    assert checked.evaluation.errors == before.card.test.errors
    assert after.weights_sha256 == before.card.weights_sha256


def test_other_parts_leave_the_seal_alone(run: RunFolder) -> None:
    blob = run.model.read_bytes()
    loaded = load_run(run.path)
    validation, training = check(loaded, "validation"), check(loaded, "training")
    assert loaded.card.validation is not None
    assert validation.evaluation.errors == loaded.card.validation.errors
    assert validation.evaluation.count + training.evaluation.count == 96  # 80 % of 120
    assert run.model.read_bytes() == blob
    with pytest.raises(UserError, match="unknown part 'tset'"):
        check(loaded, "tset")


def test_tensor_files_hold_what_was_written(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6).view(2, 3).T, "b": torch.tensor(2.5)}
    write_tensors(tmp_path / "x", tensors, {"note": "ü"})
    read, strings = read_tensors(tmp_path / "x")
    assert strings == {"note": "ü"}
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)
    with pytest.raises(UserError, match="there is no file"):
        read_tensors(tmp_path / "y")


@pytest.mark.parametrize("harm", [cut, flip_last_bit, not_tensors])
def test_a_harmed_archive_is_refused_by_the_report(
    harm: Callable[[bytes], bytes], run: RunFolder
) -> None:
    run.evaluation.write_bytes(harm(run.evaluation.read_bytes()))
    with pytest.raises(UserError, match="is damaged"):
        load_archive(run.evaluation, load_run(run.path).card.weights_sha256)


def test_an_archive_of_other_weights_is_refused(run: RunFolder) -> None:
    with pytest.raises(UserError, match="belongs to other weights"):
        load_archive(run.evaluation, "of another run")


def test_rejected_test_pictures_are_on_the_card_after_an_evaluation(
    pictures: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(pictures, tmp_path / "divided" / "train")
    shutil.copytree(pictures, folder.parent / "test")
    (folder.parent / "test" / "top" / "39.png").write_bytes(b"")
    recipe = Recipe(epochs=1, batch=16, lr=0.05)
    asked = Request(network="lenet-relu", data=f"folder:{folder.parent}", recipe=recipe)
    finished = train(asked, RunFolder(tmp_path / "run"), Silent())
    [line] = finished.card.data.rejected_test
    assert "39.png: the file is empty" in line
    assert finished.card.test is not None
    assert finished.card.test.count == 119
    assert any("39.png" in shown for shown in closing_lines(finished))
    assert check(load_run(finished.folder.path)).card.data.rejected_test == (line,)
