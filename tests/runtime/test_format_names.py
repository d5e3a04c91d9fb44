from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.runtime.bundle import SUFFIX
from convatlas.runtime.format_names import INT8, SUFFIXES, check_int8, format_of, target
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


@pytest.mark.parametrize("path", [None, Path("net"), Path("net.v2"), Path("net-0.25-160")])
def test_without_a_suffix_it_is_a_bundle(path: Path | None) -> None:
    assert format_of(None, path) == "bundle"


@pytest.mark.parametrize("name", ["digits.txt", "net.onnx.old", "net.h5", "net.ONNX"])
def test_a_suffix_that_no_format_has_is_refused_unless_one_is_asked_for(name: str) -> None:
    suffix = Path(name).suffix
    with pytest.raises(UserError, match=rf"{name}: no format has the suffix {suffix}") as said:
        format_of(None, Path(name))
    assert said.value.typed.endswith("leave it out for a bundle, or say which with --to")
    assert format_of("onnx", Path(name)) == "onnx"


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"a\.xml is named like openvino, and onnx is asked"
    ) as said:
        format_of("onnx", Path("a.xml"))
    assert said.value.typed.endswith("leave --to onnx out, or name it .onnx")
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        format_of("onx", None)


def test_int8_goes_with_some() -> None:
    for to in SUFFIXES:
        if to in INT8:
            check_int8(to)
        else:
            with pytest.raises(UserError, match=f"{to} is written as float32 alone; int8 goes"):
                check_int8(to)


def test_where_a_file_cannot_be_written(tmp_path: Path) -> None:
    assert target(tmp_path / "a", "onnx") == target(tmp_path / "a.onnx", "onnx")
    (tmp_path / "b.onnx").mkdir()
    for name in ("", "b", "b.onnx"):
        with pytest.raises(UserError, match=r"is a folder; give out the name of a file to write"):
            target(tmp_path / name, "onnx")
    with pytest.raises(UserError, match=r"there is no folder .*none to write c\.onnx into; make"):
        target(tmp_path / "none" / "c", "onnx")
