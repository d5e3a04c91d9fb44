import socket
import subprocess
import sys
from pathlib import Path

import pytest

from convatlas.cli import main
from convatlas.cli.serve import command
from convatlas.runtime.threads import processors
from convatlas.serving.limits import Limits


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Refused":
    monkeypatch.delenv("CONVATLAS_TOKEN", raising=False)
    return Refused(monkeypatch, capsys)


class Refused:
    """`convatlas serve` with options; the one line it ends with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *options: str) -> str:
        self.monkeypatch.setattr(sys, "argv", ["convatlas", "serve", *options])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        captured = self.capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        return captured.err


def test_a_port_in_use(refused: Refused) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused("x.convatlas", "--port", str(port))
    assert f"port {port} of 127.0.0.1 is in use; choose another with --port" in said


def test_no_such_address(refused: Refused) -> None:
    assert "cannot listen at 203.0.113.1" in refused("x.convatlas", "--host", "203.0.113.1")
    assert "no such address" in refused("x.convatlas", "--host", "no.such.host.invalid")


def test_no_such_bundle(refused: Refused, tmp_path: Path) -> None:
    assert "there is no file" in refused(str(tmp_path / "no.convatlas"), "--port", "0")


@pytest.mark.parametrize("package", ["uvicorn", "starlette", "python_multipart"])
def test_a_missing_extra(refused: Refused, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    said = refused("x.convatlas")
    assert f"{package} is not installed" in said
    assert "pip install 'convatlas[web]'" in said


def test_limits_that_cannot_be(refused: Refused) -> None:
    assert "can never fit" in refused("x.convatlas", "--queue", "8", "--port", "0")
    for option in ("--timeout", "--max-wait"):
        for given in ("nan", "inf", "-1"):  # each is a number to Python
            assert f"{option} {given} is no time" in refused("x.convatlas", option, given)


@pytest.mark.parametrize(
    ("options", "limits", "threads"),
    [
        ([], Limits(), processors()),
        (
            ["--max-wait", "7", "--limit-concurrency", "9", "--queue", "40", "--threads", "3"],
            Limits(max_wait=0.007, connections=9, queue=40),
            3,
        ),
    ],
)
def test_options_become_limits_and_what_is_not_given_is_theirs(
    options: list[str], limits: Limits, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[dict[str, object]] = []
    monkeypatch.setattr(
        "convatlas.serving.server.serve", lambda _open, **given: served.append(given)
    )
    command(["x.convatlas", *options], standalone_mode=False)
    (given,) = served
    assert given["limits"] == limits
    assert given["threads"] == threads  # that decode


def test_no_such_engine(refused: Refused, tmp_path: Path) -> None:
    said = refused("x.convatlas", "--engine", "tensorflow", "--port", "0")
    assert said.endswith("known: onnxruntime, openvino, auto\n")


def test_its_help_and_its_errors_import_no_torch() -> None:
    code = (
        "import sys; from convatlas.cli import main; sys.argv = ['convatlas', 'serve', {!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    for argument in ("--help", "/nowhere/x.convatlas"):
        ran = subprocess.run(
            [sys.executable, "-c", code.format(argument)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.splitlines()[-1] == "False"
