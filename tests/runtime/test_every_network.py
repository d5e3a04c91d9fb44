"""Each kind of operation in the atlas, exported to ONNX and run by both engines.

The benchmark `export_all` does the same for each network, in an hour.
"""

import pytest
from export_cover import kinds_of, representatives, take_another_size

from convatlas import atlas
from convatlas.runtime.cases import cases
from convatlas.runtime.closeness import EQUAL
from convatlas.runtime.onnx_file import Form, to_onnx
from convatlas.runtime.sessions import onnx_runner, openvino_core, openvino_runner
from convatlas.workbench.export import Given, network_of

# What `representatives` chose.
ANY_BATCH = (
    *("lenet-caffe", "lenet-sigmoid", "lenet5", "lenet-bn", "nin-cifar@caffe", "alexnet-28"),
    *("resnet20-cifar", "nin-imagenet", "mobilenet_v1@timm", "googlenet", "cbam-resnet18"),
    *("inception_v2", "alexnet@torchvision", "zfnet", "resnext50-2x40d", "eca-resnet50@authors"),
    *("inception_v3@torchvision", "swin_t", "vgg11@torchvision", "unet"),
)
ANY_SIZE = (
    *("nin-cifar@caffe", "resnet20-cifar", "nin-imagenet", "mobilenet_v1@timm"),
    *("densenet-40-12-cifar", "googlenet", "googlenet@torchvision", "cbam-resnet18"),
    *("inception_v2", "alexnet@torchvision", "resnext50-2x40d", "eca-resnet50@authors"),
    *("inception_v3@torchvision", "inception_resnet_v1", "vgg11@torchvision", "unet"),
)
# Published side: a smaller one, as the operations are the same; U-Net's smallest tile.
SMALLER = {572: 188, 299: 139, 224: 96}
ALL = tuple(entry.name for entry in atlas.entries())


@pytest.mark.parametrize(
    ("chosen", "names"), [(ANY_BATCH, lambda: ALL), (ANY_SIZE, take_another_size)]
)
def test_those_exported_hold_every_kind_of_operation(chosen: tuple[str, ...], names) -> None:
    every = names()
    held = frozenset().union(*map(kinds_of, chosen))
    missing = frozenset().union(*map(kinds_of, every)) - held
    assert not missing, f"export these instead: {representatives(every)}"
    assert set(chosen) <= set(every)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "form"),
    [
        *((name, Form()) for name in ANY_BATCH),
        *((name, Form(dynamic_size=True)) for name in ANY_SIZE),
    ],
    ids=lambda each: each if isinstance(each, str) else "size" if each.dynamic_size else "batch",
)
def test_each_is_equal_at_every_batch_and_size(name: str, form: Form) -> None:
    side = atlas.entry(name).input[1]
    network = network_of(name, Given(input=str(SMALLER.get(side, side))))
    blob = to_onnx(network, form)
    engines = {
        "onnxruntime": onnx_runner(blob),
        "openvino": openvino_runner(openvino_core().read_model(blob)),
    }
    for case in cases(network, form):
        for engine, run in engines.items():
            assert case.compare(run(case.fed)).error < EQUAL, (engine, case.label)
