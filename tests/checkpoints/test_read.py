import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from convatlas.checkpoints.read import read_weights
from convatlas.errors import UserError

STATE = {"b.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3, "optimizer": {"lr": 0.1}},
        {"model": STATE},
        {"model": {"state_dict": STATE}},
        {"state_dict": {f"module.{k}": v for k, v in STATE.items()}},
        {f"_orig_mod.module.{k}": v for k, v in STATE.items()},
        {k: nn.Parameter(v) for k, v in STATE.items()},
    ],
)
@pytest.mark.parametrize("name", ["file.pth", "file.pt"])
def test_weights_are_found_in_what_scripts_wrap_them_in(
    content: object, name: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / name)
    file = read_weights(tmp_path / name)
    assert list(file.tensors) == list(STATE)
    for key, value in STATE.items():
        assert torch.equal(file.tensors[key], value)
        assert not file.tensors[key].requires_grad


def test_the_format_before_torch_1_6_is_read(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_weights(tmp_path / "old.pth").tensors["b.weight"], STATE["b.weight"])


def test_safetensors_are_read_with_their_header(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "file.safetensors", {"key": "value"})
    file = read_weights(tmp_path / "file.safetensors")
    assert file.tensors.keys() == STATE.keys()
    assert file.strings == {"key": "value"}
    save_file(STATE, tmp_path / "bare.safetensors")
    assert read_weights(tmp_path / "bare.safetensors").strings == {}


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "hostile.pth"
    torch.save({"weight": torch.zeros(2), "more": Hostile(trace)}, path)
    assert "holds more than tensors (posix.system), and nothing of it was run" in refused(path)
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Hostile(trace)))
    refused(path)
    assert not trace.exists()
    code = "import sys, torch; torch.load(sys.argv[1], weights_only=False)"
    torch.save(Hostile(trace), path)
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert trace.exists()  # the file was indeed hostile


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    assert "torch.save(model.state_dict(), …)" in refused(tmp_path / "module.pth")


@pytest.mark.parametrize("name", ["file.pth", "file.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.999])
def test_a_truncated_file_is_refused(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save(STATE, path)
    else:
        save_file(STATE, path)
    blob = path.read_bytes()
    path.write_bytes(blob[: int(share * len(blob))])
    assert "is damaged or no file of weights" in refused(path)


@pytest.mark.parametrize("name", ["file.pth", "file.safetensors"])
@pytest.mark.parametrize("content", [b"\0" * 100, b"hello, world", b"PK\3\4" + b"x" * 50])
def test_what_is_no_file_of_weights_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (torch.zeros(2), "found Tensor"),
        ([torch.zeros(2)], "found list"),
        ({}, "found nothing"),
        ({"a": torch.zeros(2), "epoch": 3}, "found int at 'epoch'"),
        ({0: torch.zeros(2)}, "found Tensor at 0"),
    ],
)
def test_what_holds_no_named_tensors_is_refused(content: object, said: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "file.pth")
    assert said in refused(tmp_path / "file.pth")


def test_paths_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert "there is no file" in refused(tmp_path / "none.pth")
    assert "expected one of .pth, .pt, .safetensors" in refused(tmp_path / "picture.png")
    assert "cannot read" in refused(tmp_path / f"{'long' * 100}.pth")
    (tmp_path / "folder.pth").mkdir()
    assert "is a folder" in refused(tmp_path / "folder.pth")
