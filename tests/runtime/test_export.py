from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
import torch
from runnable import network
from safetensors import safe_open

from convatlas.errors import UserError
from convatlas.runtime import cases, export
from convatlas.runtime.bundle import BundleCard, read_bundle
from convatlas.runtime.export import TOLERANCE
from convatlas.runtime.formats import CARD_KEY, FORMATS
from convatlas.runtime.onnx_file import Form


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_is_run_and_compared(to: str, tmp_path: Path) -> None:
    receipt = export.export(network("lenet-bn", prepared=True), to, tmp_path / "net")
    assert receipt.error <= TOLERANCE
    assert [c.inputs for c in receipt.card.compared] == ["1 random of 28x28", "3 random of 28x28"]
    assert sorted(tmp_path.iterdir()) == sorted(receipt.files)  # nothing else is left
    assert receipt.bytes == sum(file.stat().st_size for file in receipt.files)


@pytest.mark.parametrize("to", ["bundle", "onnx", "openvino", "torchscript", "exported-program"])
def test_fused_and_of_any_size(to: str, tmp_path: Path) -> None:
    fused = export.export(network("lenet-bn", prepared=True), to, tmp_path / "a", Form(fused=True))
    assert fused.card.input == (None, 1, 24, 24)
    free = export.export(network("nin-cifar"), to, tmp_path / "b", Form(dynamic_size=True))
    assert free.card.input == (None, 3, None, None)
    assert [c.inputs for c in free.card.compared][-1] == "3 random of 69x85"
    assert max(fused.error, free.error) <= TOLERANCE


def test_the_card_travels_inside(tmp_path: Path) -> None:
    small = network("lenet-bn", prepared=True)
    files = {
        to: export.export(small, to, tmp_path / to).files[0]
        for to in ("bundle", "onnx", "safetensors")
    }
    wanted = read_bundle(files["bundle"]).card
    assert wanted.compared
    entries = {e.key: e.value for e in onnx.load(files["onnx"]).metadata_props}
    with safe_open(files["safetensors"], "np") as weights:
        texts = [entries[CARD_KEY], weights.metadata()[CARD_KEY]]
    for text in texts:
        card = msgspec.json.decode(text, type=BundleCard)
        assert card == msgspec.structs.replace(wanted, compared=())


def test_what_computes_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = network("lenet-bn")
    original = export.cases

    def off(*given: object) -> list[cases.Case]:
        return [
            cases.Case(c.label, c.fed, c.expected + np.float32(0.01))
            for c in original(*given)  # type: ignore[arg-type]
        ]

    monkeypatch.setattr(export, "cases", off)
    with pytest.raises(UserError, match="computes something else than lenet-bn"):
        export.export(small, "onnx", tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_mistakes_are_named(tmp_path: Path) -> None:
    small = network("lenet-bn")
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        export.export(small, "onx", tmp_path / "x")
    with pytest.raises(UserError, match="there is no folder"):
        export.export(small, "onnx", tmp_path / "no" / "x")
    with pytest.raises(UserError, match="weights alone"):
        export.export(small, "safetensors", tmp_path / "x", Form(fused=True))
    with pytest.raises(
        UserError, match="28x28, and neither 65x81 nor 60x92"
    ):
        export.export(small, "onnx", tmp_path / "x", Form(dynamic_size=True))
    assert not list(tmp_path.iterdir())


def test_a_fixed_batch_is_one(tmp_path: Path) -> None:
    receipt = export.export(
        network("lenet-bn"), "exported-program", tmp_path / "n", Form(dynamic_batch=False)
    )
    assert receipt.card.input == (1, 1, 28, 28)
    program = torch.export.load(receipt.files[0])
    assert program.module()(torch.zeros(1, 1, 28, 28)).shape == (1, 10)
