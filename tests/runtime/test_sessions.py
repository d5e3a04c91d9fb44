import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_bundle import SIDE, Tiny, tiny_model

from convatlas.runtime.sessions import (
    Run,
    onnx_options,
    onnx_runner,
    onnx_session,
    openvino_core,
    openvino_runner,
    session_runner,
)

TINY = Tiny(wide=2000)
SHOWN = np.random.default_rng(0).integers(0, 256, (4, 3, SIDE, SIDE), np.uint8)
FED = SHOWN.astype(np.float32) / 255 - np.float32(0.5)


def runners() -> dict[str, Run]:
    model = tiny_model(TINY)
    frugal = onnx_options(threads=1, spin=False, prepack=False)
    read = openvino_core().read_model
    return {
        "onnxruntime": onnx_runner(model),
        "onnxruntime, frugal": session_runner(onnx_session(model, frugal)),
        "openvino": openvino_runner(read(model)),
        "openvino on one thread": openvino_runner(read(model), 1),
    }


@pytest.mark.parametrize("name", runners())
def test_both_compute_the_model_for_any_batch(name: str) -> None:
    run = runners()[name]
    for count in (4, 1):
        # float32 sums over 64 pixels and 2000 values
        expected = TINY.scores(SHOWN[:count])
        np.testing.assert_allclose(run(FED[:count]), expected, rtol=1e-3, atol=1e-5)
    first = run(FED)
    kept = first.copy()
    run(-FED)
    np.testing.assert_array_equal(first, kept)  # not overwritten by the next


def test_options_say_what_differs() -> None:
    plain, frugal = onnx_options(), onnx_options(threads=3, spin=False, prepack=False)
    assert (plain.intra_op_num_threads, frugal.intra_op_num_threads) == (0, 3)
    for key, value in (
        ("session.intra_op.allow_spinning", "0"),
        ("session.disable_prepacking", "1"),
    ):
        assert frugal.get_session_config_entry(key) == value
        with pytest.raises(RuntimeError):
            plain.get_session_config_entry(key)


def test_there_is_no_fallback_to_other_providers() -> None:
    session = onnx_session(tiny_model(TINY), onnx_options())
    assert session.get_providers() == ["CPUExecutionProvider"]
    with (
        pytest.warns(UserWarning, match="not in available provider names"),
        pytest.raises(RuntimeError, match="Unknown Provider"),
    ):
        onnx_session(tiny_model(TINY), onnx_options(), ["NoSuchExecutionProvider"])


PRESS = """
import gc, os, signal, sys
from pathlib import Path
from convatlas.runtime.sessions import openvino_core, openvino_runner

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
first, second = (openvino_runner(openvino_core().read_model(Path(sys.argv[1]))) for _ in range(2))
del first
gc.collect()
del second
gc.collect()
os.kill(os.getpid(), signal.SIGINT)
"""


def test_ctrl_c_after_openvino_does_not_kill_the_process(tmp_path: Path) -> None:
    """A core for each of two models left the thread without its stack for signals."""
    (tmp_path / "model.onnx").write_bytes(tiny_model(TINY))
    command = [sys.executable, "-c", PRESS, str(tmp_path / "model.onnx")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGINT
    assert ran.stderr.rstrip().endswith("KeyboardInterrupt")
