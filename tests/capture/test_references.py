"""Networks of torchvision and timm against torch's own counter and forward hooks, on no memory."""

from collections.abc import Callable

import pytest
import torch
from independent import counted, hooked, summed
from references import timm, torchvision
from torch import nn

from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.document import read, write
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import propagate

FEW = {
    "resnet18": torchvision.models.resnet18,
    "googlenet": lambda: torchvision.models.googlenet(init_weights=False),
    "mobilenet_v3_small": torchvision.models.mobilenet_v3_small,
    "shufflenet_v2_x0_5": torchvision.models.shufflenet_v2_x0_5,
    "swin_t": torchvision.models.swin_t,
    "vit_b_32": torchvision.models.vit_b_32,
    "lraspp": lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(
        weights_backbone=None
    ),
    "botnet26t_256": lambda: timm.create_model("botnet26t_256"),
    "dm_nfnet_f0": lambda: timm.create_model("dm_nfnet_f0"),
}
TORCHVISION = (
    *("alexnet", "vgg11_bn", "resnet152", "resnext50_32x4d", "densenet201", "inception_v3"),
    *("mobilenet_v2", "efficientnet_b0", "efficientnet_v2_s", "squeezenet1_1", "mnasnet0_5"),
    *("regnet_y_400mf", "convnext_tiny", "swin_v2_t", "maxvit_t"),
)
TIMM = (
    *("convmixer_768_32", "mixer_s32_224", "coatnet_0_rw_224", "beit_base_patch16_224"),
    *("halonet26t", "eca_resnet33ts", "skresnet18", "res2net50_26w_4s", "hrnet_w18_small"),
    *("resnest14d", "xcit_nano_12_p16_224", "poolformer_s12", "levit_128s", "mobilevit_xxs"),
    *("ghostnet_100", "cait_xxs24_224", "volo_d1_224", "tiny_vit_5m_224"),
    *("lambda_resnet26t", "mvitv2_tiny", "eva02_tiny_patch14_224", "convit_tiny"),
)


def built(build: Callable[[], nn.Module]) -> nn.Module:
    try:
        with torch.device("meta"):
            return build().eval()
    except NotImplementedError:  # computes its widths
        return build().to("meta").eval()


def other(graph: Graph, net: nn.Module, shape: Shape) -> None:
    """The graph at another size says what a new capture says, or refuses."""
    try:
        again = propagate(graph, (shape,))
    except UserError:
        return
    fresh = capture(net, shape)
    assert propagate(fresh).measures == again.measures
    assert [node.path for node in fresh.nodes] == [node.path for node in graph.nodes]


def check(net: nn.Module, size: int) -> None:
    shape = (2, 3, size, size)
    graph = capture(net, shape)
    made = propagate(graph)
    for sizes in ((3, *shape[1:]), (1, 3, size + 32, size + 32), (2, 3, size, size + 32)):
        other(graph, net, sizes)
    x = torch.empty(shape, device="meta")
    mine = summed(graph, made)
    for path, macs in counted(net, x).items():
        assert mine.get(path, 0) == macs, path
    shapes: dict[str, list[Shape]] = {}
    for node, measure in zip(graph.nodes, made.measures, strict=True):
        shapes.setdefault(node.path, []).append(measure.shape)
    for path, seen in hooked(net, x).items():
        assert path not in shapes or seen in shapes[path], path
    assert read(write(graph)) == graph
    assert graph.trainable == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", FEW)
def test_a_few(name: str) -> None:
    check(built(FEW[name]), 256 if "256" in name else 192 if "nfnet" in name else 224)


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision(name: str) -> None:
    more = {"init_weights": False} if name == "inception_v3" else {}
    check(built(lambda: getattr(torchvision.models, name)(**more)), 299 if more else 224)


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_timm(name: str) -> None:
    net = built(lambda: timm.create_model(name))
    check(net, net.default_cfg["input_size"][-1])  # type: ignore[union-attr,index]


def test_a_graph_of_one_batch_answers_for_others() -> None:
    net = built(torchvision.models.swin_t)
    graph = capture(net, (1, 3, 224, 224))
    assert propagate(graph, ((4, 3, 224, 224),)).macs == 4 * propagate(graph).macs
    with pytest.raises(UserError, match="takes another way there"):
        propagate(graph, ((1, 3, 448, 448),))
