from pathlib import Path

import pytest

from convatlas import models
from convatlas.errors import UserError
from convatlas.workbench.named import check_named


def test_what_there_is_or_may_be_passes(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    for name in (*models.names(), str(tmp_path), "convatlas.anything:name"):
        check_named(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("runs/nope", "there is no run folder runs/nope; give one, a network of"),
        (".", "holds no model.safetensors; is it a run folder"),
        ("nowhere:net", "there is no module 'nowhere' that can be imported"),
        ("x" * 300, "unknown network 'xxx"),
        ("lenet-bm", "unknown network 'lenet-bm'; did you mean 'lenet-bn'"),
    ],
)
def test_what_is_not_there_is_named(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_named(name)


@pytest.mark.parametrize("what", ["nets", "nets.py", "package.nets"])
def test_a_module_without_a_name_in_it_is_told_so(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("nets.py", "package/nets.py"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    module = what.removesuffix(".py")
    with pytest.raises(UserError, match=f"{what} is a module; name .* in it: {module}:NAME"):
        check_named(what)
