import dataclasses
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from runnable import network

from convatlas.errors import UserError
from convatlas.runtime import cases, export, onnx_file
from convatlas.runtime.bundle import BundleCard
from convatlas.runtime.closeness import EQUAL
from convatlas.runtime.formats import FORMATS
from convatlas.runtime.onnx_file import Form


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_is_run_and_compared(to: str, tmp_path: Path) -> None:
    receipt = export.export(network("lenet-bn", prepared=True), to, tmp_path / "net")
    assert receipt.error <= EQUAL
    assert [c.inputs for c in receipt.card.compared] == ["1 random of 28x28", "3 random of 28x28"]
    assert sorted(tmp_path.iterdir()) == sorted(receipt.files)  # nothing else is left
    assert receipt.bytes == sum(file.stat().st_size for file in receipt.files)


@pytest.mark.parametrize("to", ["bundle", "onnx", "openvino", "torchscript", "exported-program"])
def test_fused_and_of_any_size(to: str, tmp_path: Path) -> None:
    shown = network("lenet-bn", prepared=True)
    pictures = np.random.default_rng(0).integers(0, 256, (5, 1, 31, 31), np.uint8)
    shown = dataclasses.replace(shown, pictures=pictures)
    fused = export.export(shown, to, tmp_path / "a", Form(fused=True))
    assert fused.card.input == (None, 1, 24, 24)
    assert [c.inputs for c in fused.card.compared][-1] == "5 real"
    free = export.export(network("nin-cifar"), to, tmp_path / "b", Form(dynamic_size=True))
    assert free.card.input == (None, 3, None, None)
    assert [c.inputs for c in free.card.compared][-1] == "3 random of 69x85"
    assert max(fused.error, free.error) <= EQUAL


def test_what_computes_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = network("lenet-bn")
    original = export.cases

    def off(*given: object) -> list[cases.Case]:
        return [
            cases.Case(c.label, c.fed, c.expected + np.float32(0.01))
            for c in original(*given)  # type: ignore[arg-type]
        ]

    monkeypatch.setattr(export, "cases", off)
    with pytest.raises(UserError, match="computes something else than lenet-bn"):
        export.export(small, "onnx", tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_the_file_that_is_kept_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file is right, and what is written with the finished card is not."""
    kind = FORMATS["onnx"]

    def save(made: bytes, card: BundleCard, path: Path) -> None:
        other = export.FORMATS["bundle"].make(network("lenet-relu"), Form())
        kind.save(other if card.compared else made, card, path)

    monkeypatch.setitem(FORMATS, "onnx", dataclasses.replace(kind, save=save))
    with pytest.raises(UserError, match="onnx computes something else than lenet-bn"):
        export.export(network("lenet-bn"), "onnx", tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_mistakes_are_named(tmp_path: Path) -> None:
    small = network("lenet-bn")
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        export.export(small, "onx", tmp_path / "x")
    with pytest.raises(UserError, match="there is no folder"):
        export.export(small, "onnx", tmp_path / "no" / "x")
    with pytest.raises(UserError, match="weights alone"):
        export.export(small, "safetensors", tmp_path / "x", Form(fused=True))
    with pytest.raises(UserError, match="28x28, and neither 65x81 nor 60x92"):
        export.export(small, "onnx", tmp_path / "x", Form(dynamic_size=True))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.b", "resnet50@torchvision", "se-resnet50.v2", "n.onnx"])
def test_dots_in_a_name_are_kept(name: str, tmp_path: Path) -> None:
    files = export.export(network("lenet-relu"), "onnx", tmp_path / name).files
    assert files == (tmp_path / f"{name.removesuffix('.onnx')}.onnx",)


def test_an_older_file_is_replaced_and_kept_if_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"older")
    os.chmod(path, 0o600)
    monkeypatch.setattr(export, "EQUAL", -1.0)
    with pytest.raises(UserError, match="computes something else"):
        export.export(network("lenet-relu"), "safetensors", path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"older"]
    monkeypatch.setattr(export, "EQUAL", EQUAL)
    export.export(network("lenet-relu"), "safetensors", path)
    assert path.stat().st_size > 200_000
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_replaced_is_on_the_receipt(tmp_path: Path) -> None:
    first = export.export(network("lenet-relu"), "openvino", tmp_path / "net")
    assert first.replaced == ()
    (tmp_path / "net.bin").unlink()
    again = export.export(network("lenet-relu"), "openvino", tmp_path / "net")
    assert again.replaced == (tmp_path / "net.xml",)


@pytest.mark.parametrize("stop", [1, 2])
def test_an_older_graph_never_stands_beside_new_weights(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends while the pair of files is put in its place."""
    path, replace, moved = tmp_path / "net.xml", os.replace, []
    export.export(network("lenet-relu"), "openvino", path)

    def stopping(file: Path, to: Path) -> None:
        moved.append(to.name)
        if len(moved) == stop:
            raise KeyboardInterrupt
        replace(file, to)

    monkeypatch.setattr(os, "replace", stopping)
    with pytest.raises(KeyboardInterrupt):
        export.export(network("lenet-bn"), "openvino", path)
    assert moved == ["net.bin", "net.xml"][:stop]
    assert [file.name for file in tmp_path.iterdir()] == ["net.bin"]  # which nothing opens
    monkeypatch.undo()
    files = export.export(network("lenet-bn"), "openvino", path).files
    assert [file.name for file in files] == ["net.bin", "net.xml"]


@pytest.mark.parametrize("to", FORMATS)
def test_the_card_names_the_versions_of_what_made_the_file(to: str) -> None:
    versions = export.make_card(network("lenet-relu"), Form(), to).versions
    assert versions["torch"] == torch.__version__
    assert versions.get("openvino") == (version("openvino") if to == "openvino" else None)


def test_what_cannot_be_compared_is_not_written(tmp_path: Path) -> None:
    """The file would be right and the error of each score NaN, which is above no limit."""
    spoilt = network("lenet-relu")
    with torch.no_grad():
        next(spoilt.module.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match="no finite numbers, so nothing can be shown to equal it"):
        export.export(spoilt, "safetensors", tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_what_an_engine_cannot_run_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fed: object) -> np.ndarray:
        raise RuntimeError("no kernel for\nthis")

    kind = dataclasses.replace(FORMATS["onnx"], open=lambda network, path: broken)
    monkeypatch.setitem(FORMATS, "onnx", kind)
    with pytest.raises(UserError, match="fails on 1 random of 28x28: no kernel for this; nothing"):
        export.export(network("lenet-relu"), "onnx", tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_weights_that_no_onnx_file_holds_are_refused_before_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 200_000)
    for to in ("onnx", "bundle", "openvino"):
        with pytest.raises(UserError, match=r"take 0\.0 GiB, an ONNX file holds .* safetensors"):
            export.export(network("lenet-relu"), to, tmp_path / "net")
    assert export.export(network("lenet-relu"), "safetensors", tmp_path / "net").error == 0


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(
        UserError, match=r"cannot write /proc/self/out\.saf.*: [\w ]*; choose another folder$"
    ):
        export.export(network("lenet-relu"), "safetensors", Path("/proc/self/out"))


FULL = """
import resource, signal, sys
from pathlib import Path
from runnable import network
from convatlas.errors import UserError
from convatlas.runtime.export import export
from convatlas.runtime.formats import FORMATS

small = network("lenet-relu")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for to in FORMATS:
    try:
        export(small, to, Path(sys.argv[1]) / "net")
    except UserError as error:
        print(to, error)
"""


@pytest.mark.slow
def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: writing fails in the middle."""
    support = Path(__file__).parents[1] / "support"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FULL, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(support), *sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    said = dict(line.split(" ", 1) for line in ran.stdout.splitlines())
    assert set(said) == set(FORMATS)
    for text in said.values():
        assert text.startswith(f"cannot write {tmp_path}/net.")
        assert "large" in text  # the system's "File too large", not what a writer makes of it
        assert text.endswith("make room, or choose another folder or format")
    assert not list(tmp_path.iterdir())


def test_a_fixed_batch_is_one(tmp_path: Path) -> None:
    receipt = export.export(
        network("lenet-bn"), "exported-program", tmp_path / "n", Form(dynamic_batch=False)
    )
    assert receipt.card.input == (1, 1, 28, 28)
    program = torch.export.load(receipt.files[0])
    assert program.module()(torch.zeros(1, 1, 28, 28)).shape == (1, 10)
