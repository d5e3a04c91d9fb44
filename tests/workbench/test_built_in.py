import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

import convatlas
from convatlas.errors import UserError
from convatlas.workbench.built_in import built_in


def test_drawn_weights_are_the_same_every_time_and_disturb_no_ones_numbers() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one = built_in("lenet-bn")
    assert torch.equal(torch.rand(1), expected)
    other = built_in("lenet-bn")
    assert one.source["weights"].startswith("drawn at random (seed 0)")
    for name, value in one.module.state_dict().items():
        assert torch.equal(value, other.module.state_dict()[name]), name


def test_a_built_in_network_for_another_task() -> None:
    found = built_in("resnet20-cifar", "1x40x40", classes=3)
    assert found.shape == (1, 40, 40)
    assert found.eager(np.zeros((2, 1, 40, 40), np.float32)).shape == (2, 3)
    assert built_in("lenet-bn", "36").shape == (1, 36, 36)


def test_weights_of_a_file_are_named_by_their_checksum(tmp_path: Path) -> None:
    net = convatlas.create("lenet-bn", num_classes=4)
    path = tmp_path / "mine.safetensors"
    convatlas.save_weights(net, path, name="lenet-bn", task=convatlas.Task(num_classes=4))
    found = built_in("lenet-bn", weights=path)
    assert found.source["weights"] == (
        f"mine.safetensors, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    )
    net.eval()
    x = torch.randn(2, 1, 28, 28)
    np.testing.assert_array_equal(found.eager(x.numpy()), net(x).detach().numpy())
    with pytest.raises(UserError, match="there is no file"):
        built_in("lenet-bn", weights=tmp_path / "none.pth")
