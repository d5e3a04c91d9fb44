import pytest
import torch
from torch import nn

from convatlas import models
from convatlas.errors import UserError
from convatlas.insight.features import features, stage_ends


def test_named_maps_are_what_the_submodules_make() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3, stride=2)).eval()
    x = torch.randn(2, 3, 9, 9)
    found = features(net, x, ["2", "1"])
    assert list(found) == ["2", "1"]
    torch.testing.assert_close(found["1"], net[1](net[0](x)), rtol=0, atol=0)
    torch.testing.assert_close(found["2"], net(x), rtol=0, atol=0)
    assert not any(module._forward_hooks for module in net.modules())


def test_by_default_the_last_map_of_each_size() -> None:
    net = models.create("resnet18").eval()
    with torch.no_grad():
        found = features(net, torch.zeros(1, 3, 64, 64))
    assert [tuple(value.shape[1:]) for value in found.values()] == [
        *((64, 32, 32), (64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)),
    ]
    assert list(found)[-1] == "stage4.block2.relu"


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_swin_gives_maps_with_channels_first(stage: int) -> None:
    net = models.create("swin_t").eval()
    with torch.no_grad():
        found = features(net, torch.zeros(1, 3, 64, 64), [f"stages.stage{stage}"])
    side = 16 >> (stage - 1)
    assert found[f"stages.stage{stage}"].shape == (1, 96 << (stage - 1), side, side)


def test_gradients_pass() -> None:
    net = models.create("lenet-relu")
    [first, *_] = features(net, torch.zeros(1, 1, 28, 28)).values()
    first.sum().backward()
    assert next(net.parameters()).grad is not None


def test_wrong_taps_are_said() -> None:
    net = models.create("lenet-relu")
    x = torch.zeros(1, 1, 28, 28)
    with pytest.raises(UserError, match="no submodule 'stage3'; did you mean 'stage"):
        features(net, x, ["stage3"])
    with pytest.raises(UserError, match=r"head makes \(1, 10\); a tap is"):
        features(net, x, ["head"])
    assert not any(module._forward_hooks for module in net.modules())


def test_stage_ends_of_a_network_without_pictures_are_none() -> None:
    assert stage_ends(nn.Linear(3, 4), torch.zeros(1, 3)) == ()


def test_swin_by_default_gives_the_end_of_each_stage() -> None:
    net = models.create("swin_t").eval()
    with torch.no_grad():
        found = features(net, torch.zeros(1, 3, 64, 64))
    assert list(found) == [f"stages.stage{number}" for number in (1, 2, 3, 4)]
    assert [tuple(value.shape[1:]) for value in found.values()] == [
        *((96, 16, 16), (192, 8, 8), (384, 4, 4), (768, 2, 2)),
    ]
