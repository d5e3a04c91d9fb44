from pathlib import Path

import pytest
from torch import nn

from convatlas.errors import UserError
from convatlas.workbench.given import Given, check_given, with_input


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with what looks like a run, a file of weights, labels and pictures."""
    for folder in ("run", "pictures"):
        (tmp_path / folder).mkdir()
    for file in ("run/model.safetensors", "w.pth", "labels", "pictures/a.png"):
        (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
def test_what_is_there_passes() -> None:
    check_given("lenet5", Given(weights="w.pth", labels="labels", pictures=Path("pictures")))
    check_given("run", Given(pictures="pictures"))
    check_given(Path("run"), Given())
    check_given("torch.nn:Identity", Given(input=8, labels="labels"))
    check_given(nn.Identity(), Given(input=8, mean=0.5))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("what", "given", "said", "typed"),
    [
        ("run", Given(deviation=1.0), "leave deviation out", "leave --std out"),
        (Path("run"), Given(labels="none"), "leave labels out", "leave --labels out"),
        (nn.Identity(), Given(weights="none.pth"), "weights is for", "--weights is for"),
        ("own:net", Given(), "there is no module 'own'", "there is no module 'own'"),
        ("lenet5", Given(pictures="none"), "pictures takes", "--pictures takes"),
        ("lenet5", Given(pictures="run"), "run holds no picture", "run holds no picture"),
        ("lenet5", Given(labels="none"), "there is no file none", "there is no file none"),
        ("lenet5", Given(weights="labels"), "labels is not a file of", "labels is not a file of"),
    ],
)
def test_what_is_not_there_or_not_said_of_this_kind_is_refused(
    what: str | Path | nn.Module, given: Given, said: str, typed: str
) -> None:
    with pytest.raises(UserError) as caught:
        check_given(what, given)
    assert said in str(caught.value)
    assert typed in caught.value.typed


def test_the_input_is_said_once() -> None:
    assert with_input(Given(classes=3), 8) == Given(classes=3, input=8)
    assert with_input(Given(input=8), None) == Given(input=8)
    with pytest.raises(UserError, match="the input is said twice"):
        with_input(Given(input=8), 8)
