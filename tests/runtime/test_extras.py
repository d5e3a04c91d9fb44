import pytest

from convatlas.errors import UserError
from convatlas.runtime import extras
from convatlas.runtime.extras import EXTRAS, has, need, version_of


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "no_such_package", "export")
    with pytest.raises(UserError, match=r"pip install 'convatlas\[export\]'"):
        need("no_such_package")
    assert not has("no_such_package")


def test_a_package_that_breaks_inside_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("no inner part", name="inner_part")

    monkeypatch.setattr(extras.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="inner part"):
        need("onnx")


def test_versions_are_those_of_what_is_installed() -> None:
    import numpy as np

    assert version_of("numpy") == np.__version__
    assert version_of("no-such-package") == "not installed"
