import re
from pathlib import Path

import pytest
import torch
from torch import nn

from convatlas.errors import UserError
from convatlas.workbench.own_module import own_network

MODULES = """
import torch
from torch import nn

def drawn(): return nn.Sequential(nn.Flatten(), nn.Linear(48, 5))
def half(): return drawn().half()
"""


class Told(nn.Module):
    """Answers as it is told."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: torch.Tensor) -> object:
        return self.answer


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_nets_to_export.py").write_text(MODULES)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("own")
def test_what_a_function_draws_is_the_same_every_time() -> None:
    one, other = (own_network("own_nets_to_export:drawn", "3x4x4") for _ in range(2))
    for name, value in one.module.state_dict().items():
        assert torch.equal(value, other.module.state_dict()[name]), name
    assert one.source["weights"] == (
        "those of own_nets_to_export:drawn as it was made, torch's seed being 0"
    )
    assert not one.module.training


def test_nothing_is_said_of_how_a_module_in_hand_came_by_its_weights() -> None:
    found = own_network(nn.Sequential(nn.Flatten(), nn.Linear(48, 5)), "3x4x4")
    assert found.source["weights"] == "those that the Sequential had when it was given"


@pytest.mark.usefixtures("own")
def test_another_precision_is_made_float32_and_said() -> None:
    found = own_network("own_nets_to_export:half", "3x4x4")
    assert {p.dtype for p in found.module.parameters()} == {torch.float32}
    assert found.source["weights"].endswith("; float16 made float32")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"a": 1}, "gives a dict, expected one tensor of scores"),
        ((torch.zeros(1, 2),) * 2, "gives a tuple, expected one tensor"),
        (torch.zeros(1, 2, dtype=torch.int64), "gives int64 1x2 .*expected float32 scores"),
        (torch.zeros(3), "gives float32 3 for a picture of 3x4x4"),
        (torch.zeros(2, 3), "gives float32 2x3 for a picture"),
    ],
)
def test_what_is_no_score_is_named(answer: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        own_network(Told(answer), "3x4x4")


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match=r"Linear does not say .*; give input, like input="):
        own_network(nn.Linear(3, 4), None)
    with pytest.raises(UserError, match=r"height x width, like \(3, 224, 224\); given '224'"):
        own_network(nn.Linear(3, 4), "224")
    with pytest.raises(UserError, match=r"Conv2d fails on a picture of 2x4x4: RuntimeError: .*"):
        own_network(nn.Conv2d(3, 4, 3), "2x4x4")
    with torch.device("meta"):
        empty = nn.Conv2d(3, 4, 3)
    with pytest.raises(UserError, match="no weights, it lies on the meta device"):
        own_network(empty, "3x4x4")
    with pytest.raises(UserError, match="no module 'nowhere'"):
        own_network("nowhere:net", "3x4x4")


class Two(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class Raising(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise self.error


class Multiplying(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.zeros(7, 3)


def test_a_module_of_two_inputs_is_told_that_it_is_given_one() -> None:
    with pytest.raises(UserError, match=r"Two takes 2 inputs \(x, y\), and one picture is given;"):
        own_network(Two(), "3x4x4")


@pytest.mark.parametrize("error", [KeyError("none"), RuntimeError("of ours")])
def test_what_a_modules_own_code_raises_is_not_laid_to_its_input(error: Exception) -> None:
    with pytest.raises(UserError) as caught:
        own_network(Raising(error), "3x4x4")
    assert re.search(r" \(test_own_module.py, line \d+\); mend its code$", str(caught.value))


@pytest.mark.parametrize("module", [Multiplying(), nn.Conv2d(3, 4, 5), nn.BatchNorm1d(3)])
def test_what_torch_raises_may_be_because_of_the_input(module: nn.Module) -> None:
    with pytest.raises(UserError) as caught:
        own_network(module, "3x4x4")
    assert str(caught.value).endswith("; give the input that it takes")
    assert caught.value.typed.endswith("; give the --input that it takes")


@pytest.mark.filterwarnings("ignore")  # torch's, of scripting and of copying what it made
def test_a_scripted_module_does_not_say_what_it_takes_and_is_run() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(48, 5)))
    assert own_network(scripted, "3x4x4").shape == (3, 4, 4)
