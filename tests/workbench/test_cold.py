"""The process that is started is told apart here; `test_bench` starts it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from runnable import network

from convatlas.runtime.auto import Measured
from convatlas.runtime.engines import engine
from convatlas.runtime.engines.engine import Job
from convatlas.workbench.bench import Bench
from convatlas.workbench.bench_table import table
from convatlas.workbench.cold import MODEL, Start, answer, cold

KEYS = ("session.intra_op.allow_spinning", "session.disable_prepacking")


def entry(options: Any, key: str) -> str:
    """What a session is told; ONNX Runtime raises where it is told nothing."""
    try:
        return str(options.get_session_config_entry(key))
    except RuntimeError:
        return "not set"


def test_why_an_engine_does_not_start_stands_in_its_cell() -> None:
    job = Job(network=network("lenet-bn"))
    found = cold("lenet-bn", job, ["eagre"])
    assert isinstance(found["eagre"], str)
    assert found["eagre"].startswith("unknown engine 'eagre'; did you mean 'eager'")
    row = Measured(name="eagre", error=0.0, seconds=(1.0,))
    made = Bench(network="lenet-bn", batch=1, macs=1, peak=1.0, measured=(row,), cold=found)
    shown = dict(zip(table([made]).columns, table([made]).rows[0], strict=True))
    assert (shown["cold start s"], shown["MiB"]) == (f"failed: {found['eagre']}", "")


def test_the_session_is_that_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., Any] = onnxruntime.InferenceSession
    seen: list[list[Any]] = []

    def session(model: Any, options: Any, **how: Any) -> Any:
        level, threads = options.graph_optimization_level, options.intra_op_num_threads
        seen.append([level, threads, *(entry(options, key) for key in KEYS)])
        return original(model, options, **how)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    job = Job(network=network("lenet-bn"), batch=2, threads=1)
    engine("onnxruntime", job)(np.zeros(job.shape, np.float32))
    (tmp_path / MODEL).write_bytes(job.onnx())
    start = Start(
        began=0,
        engine="onnxruntime",
        what="lenet-bn",
        size=None,
        folder=str(tmp_path),
        shape=job.shape,
        threads=1,
    )
    answer(start)
    assert len(seen) == 2
    assert seen[0] == seen[1]
