"""What does not fit is said in one line: where, what was given, what was expected, the way out."""

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from convatlas.capture.capture import CaptureError, capture
from convatlas.errors import with_kind
from convatlas.graph.document import read, write


def failing(module: nn.Module, example: Any) -> CaptureError:
    with pytest.raises(CaptureError) as caught:
        capture(module, example)
    assert "\n" not in str(caught.value)
    assert read(write(caught.value.graph)) == caught.value.graph
    return caught.value


class Net(nn.Module):
    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(4, 4))
        self.head = nn.Sequential(nn.Flatten(), head)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def test_a_dense_layer_of_the_wrong_size() -> None:
    error = failing(Net(nn.Linear(256, 10)), (1, 1, 24, 24))
    assert str(error) == (
        "Net cannot take 1×1×24×24: head.1 (Dense) takes 256 values, given 400 (1×400); "
        "set its in_features to 400"
    )
    kinds = [type(node.operation).__name__ for node in error.graph.nodes]
    assert kinds == ["Input", "Conv", "Activation", "Pool", "Flatten"]
    assert error.__cause__ is not None
    assert error.graph.outputs == ()
    assert error.refused is not None
    assert (error.refused.path, error.refused.inputs) == ("head.1", (4,))


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (nn.Conv2d(3, 8, 3), (1, 4, 8, 8), "takes 3 channels (N×3×H×W), given 1×4×8×8; "
         "set its in_channels to 4"),
        (nn.ConvTranspose2d(3, 8, 3), (1, 4, 8, 8), "set its in_channels to 4"),
        (nn.Conv2d(3, 8, 3), (1, 3, 2, 2), "a window of 3 does not fit into 2"),
        (nn.BatchNorm2d(3), (1, 4, 8, 8), "normalises 3 maps, given 1×4×8×8"),
        (nn.PReLU(3), (1, 4, 8, 8), "slopes for 3 maps, given 1×4×8×8; set its num_"),
        (nn.PixelShuffle(2), (1, 6, 4, 4), "cannot shuffle 1×6×4×4 by 2"),
        (nn.Unflatten(1, (2, 4)), (1, 6), "cannot see 1×6 as 1×2×4"),
    ],
)  # fmt: skip
def test_operations_that_do_not_fit(module: nn.Module, shape: Any, message: str) -> None:
    assert message in str(failing(nn.Sequential(module).eval(), shape))
    assert ": 0 " in str(failing(nn.Sequential(module).eval(), shape))


class Joins(nn.Module):
    """Two branches of different sizes, joined by its own code."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.other(x)], 1)


def test_the_line_of_the_networks_own_code() -> None:
    """Of torch's modules the path says enough; an operation in between has only its line."""
    error = failing(nn.Sequential(Joins()), (1, 3, 8, 8))
    line = Joins.forward.__code__.co_firstlineno + 1
    assert str(error).endswith(f"branches (test_errors.py, line {line})")
    assert error.refused is not None
    assert error.refused.inputs == (1, 2)


class Raising(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2
        raise self.error


@pytest.mark.parametrize(
    "error",
    [ValueError("two\nlines"), TypeError("kind"), RuntimeError("torch"), KeyError("k"),
     AssertionError(), NotImplementedError("later"), AttributeError("none")],
)  # fmt: skip
def test_errors_of_the_networks_own_code(error: Exception) -> None:
    net = nn.Sequential(nn.Identity(), nn.Sequential(Raising(error)))
    caught = failing(net, (2, 3))
    assert caught.__cause__ is error
    line = Raising.forward.__code__.co_firstlineno + 2
    assert str(caught) == (
        f"Sequential cannot take 2×3: 1.0 raises {with_kind(error)} (test_errors.py, line {line})"
    )
    assert caught.refused is None
    assert len(caught.graph.nodes) == 2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.cat([x, x[:, :1]], 0),
        lambda x: x @ x,
        lambda x: x + x[:, :2],
        lambda x: x.view(7),
        lambda x: x.permute(0, 1, 2),
        lambda x: x.reshape(4, 5),
        lambda x: torch.linalg.inv(x),
        lambda x: x[5],
        lambda x: x.sum(3),
        lambda x: x.transpose(0, 4),
        lambda x: torch.einsum("ij,jk->ik", x, x),
        lambda x: x.expand(5, 3),
        lambda x: x.no_such_method(),
        lambda x: torch.stack([x, x[0]]),
        lambda x: x.softmax(5),
        lambda x: nn.functional.conv2d(x, torch.zeros(1, 1, 3, 3)),
    ],
)
def test_what_torch_refuses_is_refused(function: Any) -> None:
    class Calls(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    with pytest.raises((RuntimeError, IndexError, AttributeError)):
        function(torch.zeros(2, 3))
    error = failing(nn.Sequential(Calls()), (2, 3))
    assert re.match(r"Sequential cannot take 2×3: 0 ", str(error))
