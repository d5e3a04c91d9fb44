"""Where a network's own code was: the innermost module, and the line that is the network's."""

from types import TracebackType

import pytest
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.capture.inventory import Inventory
from convatlas.capture.whereabouts import line_in, line_now, module_in


class Outer(nn.Module):
    """Its own code, and a module of torch's, each failing or not."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.inner(x)
        return F.softmin(made, 7)


def caught(module: nn.Module) -> TracebackType | None:
    with pytest.raises((RuntimeError, IndexError)) as error:
        module(Tensor([[1.0, 2.0]]))
    return error.value.__traceback__


def test_a_module_of_torch_is_known_by_its_path() -> None:
    net = Outer(nn.Linear(3, 4))
    trace = caught(net)
    assert module_in(trace, Inventory(net).paths) == "inner"
    assert line_in(trace) == ""


def test_a_function_of_torch_by_the_line_that_called_it() -> None:
    net = Outer(nn.Identity())
    trace = caught(net)
    assert module_in(trace, Inventory(net).paths) == ""
    assert line_in(trace) == (
        f"test_whereabouts.py, line {Outer.forward.__code__.co_firstlineno + 2}"
    )


def test_the_line_that_is_running() -> None:
    said = line_now()
    here = test_the_line_that_is_running.__code__.co_firstlineno + 1
    assert said == f'test_whereabouts.py, line {here}, "said = line_now()"'
