"""What is not there is refused in one line before torch is imported, which takes seconds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import contextlib, io, json, sys
from convatlas.cli import main
found = []
for arguments in json.loads(sys.argv[1]):
    sys.argv, said, status = ["convatlas", *arguments], io.StringIO(), 0
    try:
        with contextlib.redirect_stderr(said):
            main()
    except SystemExit as end:
        status = end.code
    found.append([status, said.getvalue(), "torch" in sys.modules])
print(json.dumps(found))
"""
LONG = "x" * 300  # longer than a file's name may be
REFUSED = {
    "train": [
        ("lenet6", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("lenet5 --data mnits", "unknown data set 'mnits'; did you mean 'mnist'"),
        (f"lenet5 --data {LONG}", "unknown data set 'xxx"),
        ("lenet5 --data folder:none", "none does not exist; expected a folder with one sub-folder"),
        ("lenet5 --data folder:text", "text is not a folder; expected"),
        ("lenet5 --data folder:empty", "empty has none of at least two class folders"),
        ("lenet5 --data folder:", "'folder:' names no folder"),
        ("lenet5 --recipe sprintt", "unknown recipe 'sprintt'; did you mean 'sprint'"),
        ("lenet5 --recipe none.toml", "there is no recipe file none.toml"),
        ("lenet5 --recipe empty.toml", "cannot read the recipe empty.toml: "),
        ("lenet5 --epochs 0", "the recipe 'lenet5' with epochs 0: Expected"),
        ("lenet5 --out full", "full already holds files; choose another --out"),
        (f"lenet5 --data folder:{LONG}", "cannot list xxx"),
        (f"lenet5 --recipe {LONG}.toml", "cannot read the recipe xxx"),
        (f"lenet5 --out {LONG}", "cannot create the folder xxx"),
        ("lenet5 --out text", "cannot create the folder text: Not a directory"),
    ],
    "resume": [
        ("none", "nothing to resume: none is not a run folder"),
        ("empty", "nothing to resume: empty is not a run folder"),
        (LONG, "nothing to resume: xxx"),
    ],
    "eval": [
        ("none", "there is no run folder none"),
        ("text", "there is no run folder text"),
        ("empty", "empty holds no model.safetensors"),
        (LONG, "there is no run folder xxx"),
    ],
    "report": [
        ("none", "there is no run folder none"),
        ("empty", "empty holds no model.safetensors"),
    ],
    "predict": [
        ("none x.png", "there is no run folder none, nor a bundle of that name"),
        ("none.convatlas x.png", "there is no file none.convatlas"),
        ("none x.png --engine auto", "there is no run folder none, nor a bundle of that name"),
        ("empty x.png", "empty holds no model.safetensors"),
        ("empty x.png --engine auto", "empty holds no model.safetensors"),
        ("run x.png", "x.png: cannot be read: No such file or directory"),
        (f"run {LONG}.png", "xxx"),
        ("run full --engine foo", "unknown engine 'foo'"),
        (f"{LONG} x.png", "there is no run folder xxx"),
        (f"{LONG}.convatlas x.png", "cannot read xxx"),
    ],
    "serve": [
        ("none.convatlas", "there is no file none.convatlas"),
        ("empty", "empty is a folder; a bundle is one file"),
        (LONG, "cannot read xxx"),
    ],
    "export": [
        ("lenet6", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("runs/none", "there is no run folder runs/none"),
        ("none:net", "there is no module 'none' that can be imported from"),
        ("none.deep:net", "there is no module 'none.deep' that can be imported from"),
        ("no-name:net", "'no-name:net' is no place of a network"),
        ("empty", "empty holds no model.safetensors"),
        ("run --weights none.pth", "the run run has its own weights; leave --weights out"),
        ("own:net --classes 3", "--classes is for networks of `convatlas list`"),
        ("lenet5 --weights none.pth", "there is no file none.pth"),
        ("lenet5 --weights none", "none is not a file of weights by its name; expected one of"),
        ("lenet5 --weights folder.pth", "folder.pth is a folder; give the file in it"),
        ("lenet5 --weights text/w.pth", "cannot read text/w.pth: Not a directory"),
        (f"lenet5 --weights {LONG}.pth", "cannot read xxx"),
        (f"lenet5 --pictures {LONG}", "there is no folder xxx"),
        (f"lenet5 --int8 folder:{LONG}", "cannot list xxx"),
        ("lenet5 --labels none", "there is no file none"),
        ("lenet5 --labels empty", "empty is a folder; give the file in it"),
        ("lenet5 --pictures none", "there is no folder none; --pictures takes one"),
        ("lenet5 --pictures empty", "empty holds no picture that can be read"),
        ("lenet5 --out none/a", "there is no folder none to write a.convatlas into"),
        ("lenet5 --out empty", "empty is a folder; give --out the name of a file"),
        ("lenet5 --to onnx --out a.pt", "a.pt is named like torchscript, and onnx is asked for"),
        ("lenet5 --out digits.txt", "digits.txt: no format has the suffix .txt; known: .convatlas"),
        ("lenet5 --int8 mnits", "unknown data set 'mnits'; did you mean 'mnist'"),
        ("lenet5 --int8 folder:none", "none does not exist; expected a folder"),
        ("lenet5 --int8 folder:empty", "empty has none of at least two class folders"),
        ("lenet5 --int8 mnist --to torchscript", "torchscript is written as float32 alone"),
        ("lenet5 --mean half", "--mean takes numbers"),
    ],
    "bench": [
        ("lenet6", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("lenet5 runs/none", "there is no run folder runs/none"),
        ("none:net", "there is no module 'none' that can be imported from"),
        ("empty", "empty holds no model.safetensors"),
        (LONG, "unknown network 'xxx"),
        ("lenet5 --int8 folder:none", "none does not exist; expected a folder"),
        ("lenet5 --int8 none", "unknown data set 'none'"),
    ],
    "show": [
        ("lenet6", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("none:net --input 3x8x8", "there is no module 'none' that can be imported from"),
        ("own:nett --input 3x8x8", "own has no 'nett'; did you mean 'net'"),
    ],
    "diff": [("lenet5 none:net", "there is no module 'none' that can be imported from")],
    "sweep": [("none:net", "there is no module 'none' that can be imported from")],
    "doctor": [("none:net", "there is no module 'none' that can be imported from")],
    "field": [("none:net", "there is no module 'none' that can be imported from")],
    "compare": [("lenet5 none:net", "there is no module 'none' that can be imported from")],
    "check": [("none", "cannot read none: No such file or directory")],
    "verify": [("lenet6", "unknown network 'lenet6'")],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with folders that are no runs, one that may be, and a module."""
    for folder in ("empty", "empty.toml", "folder.pth", "full", "run"):
        (tmp_path / folder).mkdir()
    for file in ("text", "full/file", "run/model.safetensors"):
        (tmp_path / file).touch()
    (tmp_path / "own.py").write_text("net = None\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", REFUSED)
def test_the_command_line_needs_no_torch_to_refuse(command: str, place: Path) -> None:
    before = sorted(place.rglob("*"))
    lines = [[command, *arguments.split()] for arguments, _ in REFUSED[command]]
    ran = subprocess.run(
        [sys.executable, "-B", "-c", PROBE, json.dumps(lines)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout.splitlines()[-1])
    for line, (_, expected), (status, said, torch) in zip(
        lines, REFUSED[command], found, strict=True
    ):
        assert said.startswith(f"error: {expected}"), line
        assert said.count("\n") == 1, line
        assert status == 2, line
        assert not torch, line
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("fastest('lenet6')", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("fastest('none:net')", "there is no module 'none'"),
        ("fastest('lenet5', given=convatlas.Given(weights='none.pth'))", "there is no file none"),
        ("export('lenet6')", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("export('lenet6', form=convatlas.Form(fused=True))", "unknown network 'lenet6'"),
        ("export('lenet5', int8=convatlas.Int8(data='mnits'))", "unknown data set 'mnits'"),
        ("export('empty')", "empty holds no model.safetensors"),
        ("bench('lenet6')", "unknown network 'lenet6'; did you mean 'lenet5'"),
        ("bench('lenet5', how=convatlas.How(int8=convatlas.Int8(data='no')))", "unknown data set"),
        ("predict('empty', 'x.png')", "empty holds no model.safetensors"),
        ("show('none:net', 8)", "there is no module 'none'"),
    ],
)
def test_python_needs_no_torch_to_refuse(call: str, expected: str, place: Path) -> None:
    code = (
        "import convatlas, sys\n"
        f"try:\n    convatlas.{call}\n"
        "except convatlas.UserError as error:\n    print(error)\n"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True
    )
    said, torch = ran.stdout.splitlines()
    assert said.startswith(expected)
    assert torch == "False"
