import numpy as np
import pytest
import torch
from runnable import network
from torch import nn

from convatlas.errors import UserError
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.engines import ENGINES, available, engine
from convatlas.runtime.engines.engine import Job
from convatlas.runtime.engines.tuned import folded
from convatlas.runtime.network import random_pixels


@pytest.fixture(scope="module")
def jobs() -> dict[str, Job]:
    return {
        name: Job(network=network(name, size), batch=3)
        for name, size in (("lenet-bn", None), ("resnet18", 64))
    }


RUNNING_HERE = [
    pytest.param(name, marks=pytest.mark.slow if name == "compiled" else ())
    for name, maker in ENGINES.items()
    if maker.lacking() is None
]


@pytest.mark.parametrize("name", RUNNING_HERE)
@pytest.mark.parametrize("which", ["lenet-bn", "resnet18"])
def test_every_engine_equals_eager(name: str, which: str, jobs: dict[str, Job]) -> None:
    job = jobs[which]
    run, pixels = engine(name, job), random_pixels(job.shape)
    first = run(pixels)
    assert relative_error(first, job.network.eager(pixels)) < ENGINES[name].tolerance
    kept = first.copy()
    run(pixels + 1)
    assert (first == kept).all()  # an answer is not overwritten by the next


@pytest.mark.parametrize("name", RUNNING_HERE)
def test_every_engine_looks_at_what_it_is_given(name: str, jobs: dict[str, Job]) -> None:
    job = jobs["lenet-bn"]
    run, pixels = engine(name, job), random_pixels(job.shape)
    expected = job.network.eager(pixels)
    turned = np.ascontiguousarray(pixels.transpose(0, 1, 3, 2)).transpose(0, 1, 3, 2)
    backwards = np.ascontiguousarray(pixels[..., ::-1])[..., ::-1]
    for view in (turned, backwards):
        assert not view.flags.c_contiguous
        assert relative_error(run(view), expected) < ENGINES[name].tolerance
    for other in (pixels[:1], pixels[:, :, :-1], np.repeat(pixels, 2, 0), pixels.astype("f8")):
        with pytest.raises(UserError, match=rf"{name} was built for float32 3 x 1 x 28 x 28, giv"):
            run(other)


def test_folding_leaves_the_network_alone_and_no_norm_behind_a_convolution() -> None:
    module = network("resnet18", 64).module
    before = {name: value.clone() for name, value in module.state_dict().items()}
    made = folded(module)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in made.modules())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_names() -> None:
    assert {"eager", "tuned", "onnxruntime", "openvino"} <= set(available()) <= set(ENGINES)
    with pytest.raises(UserError, match="unknown engine 'onnx'; did you mean"):
        engine("onnx", Job(network=network("lenet-bn")))


def test_an_engine_that_cannot_run_says_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("convatlas.runtime.engines.has", lambda package: package != "openvino")
    assert not {"cuda", "tensorrt", "openvino"} & set(available())
    job = Job(network=network("lenet-bn"))
    with pytest.raises(UserError, match="cuda cannot run here: torch finds no CUDA GPU"):
        engine("cuda", job)
    with pytest.raises(UserError, match=r"pip install 'convatlas\[openvino\]'"):
        engine("openvino", job)
