import logging
import re

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from runnable import network
from torch import nn

from convatlas import models
from convatlas.errors import UserError
from convatlas.runtime.bundle import array
from convatlas.runtime.cases import cases
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.network import Network, random_pixels
from convatlas.runtime.onnx_file import Form, Fused, quiet, to_onnx

# The size at which a family's first network is still quick; the published one where it must be.
SIZES = {"alexnet": 64, "vgg11": 32, "zfnet": 64, "inception_v2": 64, "swin_t": 56, "unet": 188}
SMALL = {"googlenet": 224, "inception_v3": 107, "inception_v4": 75, "inception_resnet_v1": 75}
LIGHT = {"densenet": "densenet-40-12-cifar", "resnext": "resnext29-8x64d-cifar"}
FIRST = [LIGHT.get(family.name, next(iter(family.variants))) for family in models.FAMILIES]


def run(blob: bytes, fed: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(blob, providers=["CPUExecutionProvider"])
    return session.run(None, {"pixels": fed})[0]


def test_lenet5_sums_where_the_exporter_would_average() -> None:
    # 2.4e-2 without the factor four; the radial basis output subtracts numbers near 84
    lenet5 = network("lenet5")
    fed = random_pixels((3, 1, 32, 32))
    assert relative_error(run(to_onnx(lenet5), fed), lenet5.eager(fed)) < 1e-4


def test_an_average_pool_with_uneven_windows_is_refused() -> None:
    pool = nn.AvgPool2d(3, 2, ceil_mode=True, divisor_override=2)
    with pytest.raises(UserError, match="no ONNX form"):
        to_onnx(Network(name="pool", module=pool.eval(), shape=(1, 8, 8)))


def test_free_sizes_have_names_and_fixed_ones_none() -> None:
    small = network("nin-cifar")
    shape = onnx.load_from_string(to_onnx(small, Form(dynamic_size=True))).graph.input[0]
    names = [dim.dim_param or dim.dim_value for dim in shape.type.tensor_type.shape.dim]
    assert names == ["batch", 3, "height", "width"]
    shape = onnx.load_from_string(to_onnx(small, Form(dynamic_batch=False))).graph.input[0]
    assert [dim.dim_value for dim in shape.type.tensor_type.shape.dim] == [1, 3, 32, 32]


def test_fused_preparation_reads_pixels() -> None:
    small = network("lenet-bn", prepared=True)
    blob = to_onnx(small, Form(fused=True))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 1, 24, 24), np.uint8)
    how = small.preparation
    assert how
    framed = np.pad(pictures, ((0, 0), (0, 0), (2, 2), (2, 2))) / 255
    prepared = ((framed - array(how.mean)) / array(how.deviation)).astype(np.float32)
    assert relative_error(run(blob, pictures), small.eager(prepared)) < 1e-5
    fused = Fused(how, small.module)(torch.from_numpy(pictures)).detach().numpy()
    assert relative_error(fused, small.eager(prepared)) < 1e-5


def test_nothing_to_fuse_is_said() -> None:
    with pytest.raises(UserError, match="has no preparation to fuse"):
        to_onnx(network("lenet-bn"), Form(fused=True))


class Branching(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class Failing(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("so much", "more")


def test_a_module_that_branches_on_values_is_told_where(capfd: pytest.CaptureFixture[str]) -> None:
    branching = Network(name="branching", module=Branching().eval(), shape=(1, 4, 4))
    with pytest.raises(UserError) as caught:
        to_onnx(branching)
    assert re.fullmatch(
        r"the code of branching branches on values \(test_onnx_file.py, line \d+, "
        r"\"return x if x.sum\(\) > 0 else -x\"\), an exported file cannot; compute both ways and "
        r"take one with torch.where, or use --to "
        r"safetensors, which holds weights alone",
        caught.value.typed,
    )
    assert capfd.readouterr() == ("", "")


def test_a_module_torch_cannot_export_is_a_users_error() -> None:
    with pytest.raises(UserError, match="torch cannot export failing: NotImplementedError: "):
        to_onnx(Network(name="failing", module=Failing().eval(), shape=(1, 4, 4)))


def test_of_torchs_words_only_those_about_torchvision_are_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    with quiet():
        with quiet():
            pass
        logger.warning("torchvision is not installed. Skipping %s", "torchvision::nms")
        logger.warning("something else")
    logger.warning("torchvision is not installed. Skipping %s", "torchvision::nms")
    assert [record.message[:9] for record in caplog.records] == ["something", "torchvisi"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRST)
def test_one_of_every_family_is_equal_at_every_batch(name: str) -> None:
    found = network(name, (SIZES | SMALL).get(name))
    blob = to_onnx(found)
    for case in cases(found, Form()):
        assert case.compare(run(blob, case.fed)).error < 1e-4, case.label


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [("nin-cifar", 32), ("resnet18", 64), ("resnet18-a", 64), ("mobilenet_v1-0.25", 64)],
)
def test_networks_that_end_in_a_global_pool_take_every_size(name: str, size: int) -> None:
    found, form = network(name, size), Form(dynamic_size=True)
    blob = to_onnx(found, form)
    for case in cases(found, form):
        assert case.compare(run(blob, case.fed)).error < 1e-4, case.label
