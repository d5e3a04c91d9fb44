from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load, save

from convatlas.errors import UserError
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
    card = msgspec.json.decode(read_strings(blob)["card"])
    return save(load(blob), {"card": msgspec.json.encode({**card, "format": 99}).decode()})


def read_strings(blob: bytes) -> dict[str, str]:
    size = int.from_bytes(blob[:8], "little")
    strings: dict[str, str] = msgspec.json.decode(blob[8 : 8 + size])["__metadata__"]
    return strings


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (cut, "is damaged"),
        (flip_last_bit, "is damaged: its weights do not have the checksum on its card"),
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
