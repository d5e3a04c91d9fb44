"""Each function alone, against what torch keeps of it; the shape is large enough to tell sizes."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from memory_by_torch import saved
from torch import Tensor, nn

from convatlas.analysis.memory import training_memory
from convatlas.capture.capture import capture
from convatlas.models.lenet import ScaledTanh

SHAPE = (4, 8)


class Doing(nn.Module):
    """A trained shift first, so that gradients flow; it keeps nothing itself."""

    def __init__(self, what: Callable[..., Tensor], trained: tuple[bool, ...] = (True,)) -> None:
        super().__init__()
        self.what = what
        self.shifts = nn.ParameterList(
            nn.Parameter(torch.rand(SHAPE) + 0.1, requires_grad=each) for each in trained
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.what(*(x + shift for shift in self.shifts))


def check(module: nn.Module) -> None:
    module.train()
    found = training_memory(capture(module, SHAPE))
    assert found.saved == sum(saved(module, torch.rand(SHAPE) + 0.1))


ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid"),
    *("tanh", "hardswish", "hardsigmoid", "hardtanh", "softplus", "softsign", "logsigmoid"),
    *("rrelu", "tanhshrink", "softshrink", "hardshrink"),
)
IN_PLACE = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "mish", "hardswish"),
    *("hardsigmoid", "hardtanh", "rrelu"),
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str) -> None:
    check(Doing(getattr(F, name)))


@pytest.mark.parametrize("name", IN_PLACE)
def test_activations_in_place(name: str) -> None:
    function = getattr(F, name)
    check(Doing(lambda x: function(x, inplace=True)))


def test_activations_with_settings() -> None:
    check(Doing(lambda x: F.threshold(x, 0.1, 0.0)))
    check(Doing(lambda x: F.threshold(x, 0.1, 0.0, inplace=True)))
    check(nn.Sequential(Doing(lambda x: x), nn.PReLU()))
    check(Doing(lambda x: F.softmax(x, 1)))
    check(Doing(lambda x: F.log_softmax(x, 1)))


UNARY = (
    *(
        "neg",
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "sqrt",
        "rsqrt",
        "abs",
        "square",
        "sin",
        "cos",
    ),
    *("erf", "floor", "ceil", "round", "sign", "clone", "reciprocal", "contiguous", "nan_to_num"),
)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_tensor(name: str) -> None:
    function = getattr(Tensor, name)
    check(Doing(lambda x: function(x)))
    if hasattr(Tensor, f"{name}_"):
        changed = getattr(Tensor, f"{name}_")
        check(Doing(lambda x: changed(x)))


@pytest.mark.parametrize("trained", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(
    "name",
    [
        *("add", "sub", "mul", "div", "pow", "maximum", "minimum", "atan2", "fmod", "remainder"),
        *("add_", "sub_", "mul_", "div_", "atan2_"),
    ],
)
def test_functions_of_two_tensors(name: str, trained: tuple[bool, bool]) -> None:
    if name.endswith("_") and not trained[0]:
        trained = (True, True)  # what is written over has to take a gradient
    function = getattr(Tensor, name)
    check(Doing(lambda x, y: function(x, y), trained))


@pytest.mark.parametrize("name", ["addcmul", "addcdiv", "lerp"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("third", [True, False])
def test_functions_of_three_tensors(name: str, first: bool, second: bool, third: bool) -> None:
    function = getattr(torch, name)
    check(Doing(lambda x, y, z: function(x, y, z), (first, second, third)))


def test_with_plain_numbers_and_choices() -> None:
    check(Doing(lambda x: x * 2.0 + 1.0))
    check(Doing(lambda x: x**2))
    check(Doing(lambda x: x.clamp(0.2, 0.8)))
    check(Doing(lambda x, y: torch.lerp(x, y, 0.5), (True, True)))
    check(Doing(lambda x, y: torch.where(x > 0.5, x, y), (True, True)))
    check(Doing(lambda x: x.masked_fill(x > 0.5, 0.0)))


@pytest.mark.parametrize("p", [0.0, 0.5])
@pytest.mark.parametrize("inplace", [True, False])
def test_dropout_keeps_its_mask(p: float, inplace: bool) -> None:
    check(Doing(lambda x: F.dropout(x, p, inplace=inplace)))


def test_dropout_of_maps_keeps_one_factor_for_each() -> None:
    check(Doing(lambda x: F.dropout2d(x.view(1, 4, 2, 4), 0.5)))


def test_a_scaled_tanh_keeps_the_tanh() -> None:
    module = nn.Sequential(Doing(lambda x: x), ScaledTanh())
    assert (
        training_memory(capture(module, SHAPE)).saved
        == 4 * 32
        == max(saved(module, torch.rand(SHAPE)))
    )
