import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from click.testing import CliRunner
from PIL import Image

import convatlas
from convatlas.cli.export import command
from convatlas.data.augment import Augment
from convatlas.errors import UserError
from convatlas.runtime.bundle import prepare, read_bundle
from convatlas.runtime.closeness import relative_error
from convatlas.training.run import load_run


def call(*arguments: str | Path) -> str:
    ran = CliRunner().invoke(command, [*map(str, arguments)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_a_networks_receipt_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    rows = call("lenet-relu", "--to", "onnx", "--out", path).splitlines()
    assert rows[0] == f"wrote       {path}  {path.stat().st_size:,} bytes"
    assert rows[1] == "takes       N x 1 x 28 x 28 float32; weights fp32, opset 20"
    assert rows[2].startswith("weights     drawn at random (seed 0)")
    assert rows[3] == "preparation pixels from 0 to 1, as nothing else was said"
    assert rows[4].startswith("compared    1 random of 28x28: relative error ")
    assert rows[5].startswith("compared    3 random of 28x28: relative error ")
    assert rows[5].endswith("best class equal in 100%")
    assert rows[6].startswith("took        ")
    assert len(rows) == 7
    again = call("lenet-relu", "--out", path).splitlines()
    assert again[0] == f"{rows[0]}, in place of an older file"


def test_the_same_as_json(tmp_path: Path) -> None:
    record = json.loads(call("lenet-relu", "--out", tmp_path / "n", "--json"))
    path = tmp_path / "n.convatlas"
    assert record["files"] == [str(path)]
    assert record["replaced"] == []
    assert record["bytes"] == path.stat().st_size
    assert record["seconds"] > 0
    assert record["input"] == [None, 1, 28, 28]
    assert (record["precision"], record["opset"], record["fused"]) == ("fp32", 20, False)
    card = read_bundle(path).card
    assert record["source"] == card.source
    assert record["versions"] == card.versions
    assert [c["inputs"] for c in record["compared"]] == [c.inputs for c in card.compared]
    assert all(c["relative_error"] < 1e-4 for c in record["compared"])


def test_whoever_opens_an_openvino_file_is_told_of_its_default(tmp_path: Path) -> None:
    """Opened without the hint, on a processor with AMX, it computes in bfloat16."""
    rows = call("lenet-relu", "--to", "openvino", "--out", tmp_path / "n").splitlines()
    assert rows[2] == "takes       N x 1 x 28 x 28 float32; weights fp32"
    assert rows[-2].startswith("compile     with INFERENCE_PRECISION_HINT=f32 for this equality; ")


def test_only_files_of_onnx_have_an_opset(tmp_path: Path) -> None:
    rows = call("lenet-relu", "--to", "safetensors", "--out", tmp_path / "n").splitlines()
    assert rows[1] == "takes       N x 1 x 28 x 28 float32; weights fp32"
    record = json.loads(
        call("lenet-relu", "--to", "torchscript", "--out", tmp_path / "n", "--json")
    )
    assert "opset" not in record


def test_a_network_of_ones_own_with_all_that_is_said_of_it(
    nets: Callable[[str], str], tmp_path: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\ne\n", encoding="utf-8")
    Image.new("L", (20, 12), 90).save(tmp_path / "one.png")
    arguments = ["--input", "1x8x8", "--labels", labels, "--pictures", tmp_path, "--fuse"]
    figures = ["--mean", "0.5", "--std", "0.25", "--side", "10"]
    record = json.loads(call(nets("sequence"), *arguments, *figures, "--json"))
    assert record["files"] == ["sequence.convatlas"]
    assert record["fused"]
    assert record["classes"] == 5
    assert [c["inputs"] for c in record["compared"]][-1] == "1 real"
    card = read_bundle(tmp_path / "sequence.convatlas").card
    assert card.labels == ("a", "b", "c", "d", "e")
    assert card.preparation
    assert (card.preparation.side, card.preparation.crop) == (10, 8)


def test_sizes_that_are_free_have_letters(tmp_path: Path) -> None:
    arguments = ["--to", "torchscript", "--dynamic-size", "--fixed-batch", "--out", tmp_path / "n"]
    rows = call("resnet20-cifar", *arguments).splitlines()
    assert rows[1] == "takes       1 x 3 x H x W float32; weights fp32"
    assert rows[-2].startswith("compared    1 random of 69x85")


def test_a_run_becomes_a_bundle_that_scores_as_the_run_does(pictures: Path, tmp_path: Path) -> None:
    run = convatlas.train("lenet-bn", f"folder:{pictures}", out=tmp_path / "run").folder.path
    call(run, "--out", tmp_path / "b")
    bundle = read_bundle(tmp_path / "b.convatlas")
    trained = load_run(run)
    assert bundle.card.labels == tuple(trained.card.classes)
    side = trained.card.data.side
    shown = np.random.default_rng(0).integers(0, 256, (4, 1, side, side), np.uint8)
    session = ort.InferenceSession(bundle.model, providers=["CPUExecutionProvider"])
    found = session.run(None, {"pixels": prepare(bundle.card, shown)})[0]
    import torch

    seen = Augment(crop=trained.card.recipe.crop).centre(torch.from_numpy(shown))
    with torch.inference_mode():
        expected = trained.model(trained.preprocess(seen)).numpy()
    assert relative_error(found, expected) < 1e-4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs/none"], "there is no run folder runs/none"),
        (["lenet-rel"], "did you mean"),
        (["lenet-relu", "--mean", "half"], "--mean takes numbers, like 0.485,.*given 'half'"),
        (["lenet-relu", "--dynamic-size"], "28x28, and neither 65x81 nor 60x92; leave --dynamic"),
        (["swin_t", "--dynamic-size"], "the code of swin_t decides by the size of its maps"),
        (["lenet-relu", "--weights", "none.pth"], "there is no file none.pth"),
        (["lenet-relu", "--out", "no/such"], "there is no folder no to write such"),
        (["lenet-relu", "--to", "onnx", "--out", "a.pt"], "is named like torchscript, and onnx"),
        (["lenet-relu", "--out", "."], "is a folder; give --out"),
        (["nowhere:net", "--input", "3x8x8"], "there is no module 'nowhere'"),
        (["torch.nn:Identity"], "does not say what it takes; give --input"),
    ],
)
def test_mistakes_are_named(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert re.search(said, caught.value.typed)
    assert not list(tmp_path.iterdir())
