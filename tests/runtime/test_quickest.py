import time
from pathlib import Path

import numpy as np
import pytest
from runnable import network

from convatlas.errors import UserError
from convatlas.runtime import quickest
from convatlas.runtime.classifier import Classifier
from convatlas.runtime.export import export
from convatlas.runtime.measure import Effort
from convatlas.runtime.onnx_file import Form

QUICKLY = Effort(block=0.01, rounds=2)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = network("lenet-bn", prepared=True)
    return export(small, "bundle", tmp_path_factory.mktemp("b") / "b", Form(fused=True)).files[0]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))


def replaced(monkeypatch: pytest.MonkeyPatch, name: str, *, wait: float, add: float) -> list[str]:
    """Make one engine slower or wrong; the names of those that were opened."""
    opened: list[str] = []
    original = quickest.open_classifier

    def changed(path: Path, *, engine: str = "onnxruntime", **given: int | None) -> Classifier:
        opened.append(engine)
        made = original(path, engine=engine, **given)
        if engine != name:
            return made

        def run(fed: np.ndarray) -> np.ndarray:
            time.sleep(wait)
            return made.run(fed) + np.float32(add) * np.arange(10, dtype=np.float32)

        return Classifier(card=made.card, run=run)

    monkeypatch.setattr(quickest, "open_classifier", changed)
    return opened


@pytest.mark.parametrize("slow", ["onnxruntime", "openvino"])
def test_the_faster_one_is_chosen_and_remembered(
    slow: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = replaced(monkeypatch, slow, wait=0.05, add=0)
    [other] = {"onnxruntime", "openvino"} - {slow}
    assert quickest.quickest(bundle, effort=QUICKLY) == other
    assert opened == ["onnxruntime", "openvino"]
    assert quickest.quickest(bundle, effort=QUICKLY) == other
    assert opened == ["onnxruntime", "openvino"]  # nothing was measured or opened again


def test_it_is_told_what_is_opened_and_measured(bundle: Path) -> None:
    told: list[str] = []
    quickest.quickest(bundle, effort=Effort(block=0.01, rounds=1), tell=told.append)
    assert told[:3] == [
        *("opening it with onnxruntime", "opening it with openvino", "warming up onnxruntime"),
    ]
    assert told[-1] == "measuring openvino, block 1 of 1"


def test_one_that_computes_something_else_is_no_choice(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(monkeypatch, "openvino", wait=-0.0, add=0.5)
    slowed = Effort(block=0.001, rounds=1)
    assert quickest.quickest(bundle, effort=slowed) == "onnxruntime"


def test_with_one_engine_nothing_is_measured(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickest, "has", lambda package: package == "onnxruntime")
    monkeypatch.setattr(quickest, "open_classifier", None)
    assert quickest.quickest(bundle) == "onnxruntime"


def test_another_format_is_told_from_a_damaged_bundle(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"some model")
    with pytest.raises(UserError, match="is named like onnx"):
        quickest.quickest(tmp_path / "net.onnx")
