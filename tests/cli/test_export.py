import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from click.testing import CliRunner

import convatlas
from convatlas.cli.export import TO, command
from convatlas.data.augment import Augment
from convatlas.errors import UserError
from convatlas.runtime.bundle import prepare, read_bundle
from convatlas.runtime.formats import FORMATS
from convatlas.runtime.network import relative_error
from convatlas.training.run import load_run


def call(*arguments: str | Path) -> str:
    ran = CliRunner().invoke(command, [*map(str, arguments)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_the_formats_are_those_there_are() -> None:
    assert set(TO) == set(FORMATS)


def test_a_networks_receipt(tmp_path: Path) -> None:
    out = call("lenet-relu", "--to", "onnx", "--out", tmp_path / "n.onnx")
    assert "n.onnx" in out
    assert "relative error" in out
    record = json.loads(call("lenet-relu", "--out", tmp_path / "n", "--json"))
    assert record["files"] == [str(tmp_path / "n.convatlas")]
    assert all(c["relative_error"] < 1e-4 for c in record["compared"])


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


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="there is no run folder runs/none"):
        CliRunner().invoke(command, ["runs/none"], catch_exceptions=False)
    with pytest.raises(UserError, match="did you mean"):
        CliRunner().invoke(command, ["lenet-rel"], catch_exceptions=False)
