import os
from pathlib import Path

import numpy as np
import pytest
from tiny_bundle import SIDE, Tiny, tiny_model

from convatlas.runtime.loaded import Port, load_onnxruntime, load_openvino, optimise

TINY = Tiny(wide=2000)
SHOWN = np.random.default_rng(0).integers(0, 256, (4, 3, SIDE, SIDE), np.uint8)
FED = SHOWN.astype(np.float32) / 255 - np.float32(0.5)


def test_both_engines_say_the_same_of_a_model() -> None:
    model = tiny_model(TINY)
    ports = (Port("pixels", "float32", (None, 3, 8, 8)),), (Port("scores", "float32", (None, 3)),)
    for loaded in (load_onnxruntime(model, 1), load_openvino(model, 1, None)):
        assert (loaded.inputs, loaded.outputs) == ports
        # float32 sums over 64 pixels and 2000 values
        np.testing.assert_allclose(loaded.run(FED), TINY.scores(SHOWN), rtol=1e-3, atol=1e-5)
    assert load_openvino(model, 1, 4).inputs[0].shape == (4, 3, 8, 8)
    assert str(ports[0][0]) == "pixels, float32 any x 3 x 8 x 8"


@pytest.mark.parametrize("prepack", [False, True])
def test_an_optimised_model_gives_the_same_and_has_its_weights_apart(
    prepack: bool, tmp_path: Path
) -> None:
    model = tiny_model(TINY)
    (tmp_path / "plain.onnx").write_bytes(model)
    optimise(tmp_path / "plain.onnx", tmp_path / "m.onnx", "w.bin")
    assert (tmp_path / "w.bin").stat().st_size >= 2000 * 6 * 4
    assert (tmp_path / "m.onnx").stat().st_size < 2000
    plain = load_onnxruntime(model, 1, prepack=prepack)
    ours = load_onnxruntime(tmp_path / "m.onnx", 1, prepack=prepack, optimised=True)
    assert (ours.inputs, ours.outputs) == (plain.inputs, plain.outputs)
    np.testing.assert_array_equal(ours.run(FED), plain.run(FED))


def test_the_weights_are_mapped_not_read(tmp_path: Path) -> None:
    if not Path("/proc/self/maps").exists():
        pytest.skip("shows only on Linux")
    (tmp_path / "plain.onnx").write_bytes(tiny_model(TINY))
    optimise(tmp_path / "plain.onnx", tmp_path / "m.onnx", "w.bin")
    loaded = load_onnxruntime(tmp_path / "m.onnx", 1, optimised=True)
    assert os.fspath(tmp_path / "w.bin") in Path("/proc/self/maps").read_text()
    loaded.run(FED)


def test_an_answer_is_not_overwritten_by_the_next() -> None:
    for loaded in (load_onnxruntime(tiny_model(TINY), 1), load_openvino(tiny_model(TINY), 1, 4)):
        first = loaded.run(FED)
        kept = first.copy()
        loaded.run(-FED)
        np.testing.assert_array_equal(first, kept)
