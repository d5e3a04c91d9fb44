from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.runtime.bundle import SUFFIX
from convatlas.runtime.format_names import SUFFIXES, format_of
from convatlas.runtime.formats import FORMATS


def test_every_format_has_a_suffix_of_its_own() -> None:
    assert set(SUFFIXES) == set(FORMATS)
    assert len(set(SUFFIXES.values())) == len(SUFFIXES)
    assert SUFFIXES["bundle"] == SUFFIX


@pytest.mark.parametrize(("to", "suffix"), SUFFIXES.items())
def test_a_files_suffix_says_its_format(to: str, suffix: str) -> None:
    assert format_of(None, Path(f"a.b{suffix}")) == to
    assert format_of(to, Path(f"a.b{suffix}")) == to
    assert format_of(to, Path("a.b")) == to


@pytest.mark.parametrize("path", [None, Path("net"), Path("net.v2"), Path("net.onnx.old")])
def test_without_a_suffix_it_is_a_bundle(path: Path | None) -> None:
    assert format_of(None, path) == "bundle"


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"a\.xml is named like openvino, and onnx is asked"
    ) as said:
        format_of("onnx", Path("a.xml"))
    assert said.value.typed.endswith("leave --to onnx out, or name it .onnx")
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        format_of("onx", None)
