"""Standard input and output that are closed, or lead to a full disk: one line, and status 2."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.usefixtures("elsewhere"),
    pytest.mark.skipif(sys.platform == "win32", reason="a shell is asked to close them"),
]
COMMANDS = {
    "list": [],
    "show": ["lenet5"],
    "predict": ["t.convatlas", "pics/even/00.png"],
    "export": ["lenet-relu"],
    "bench": ["lenet-bn", "--engines", "eager"],
}


def ran(redirected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            "sh",
            "-c",
            f'exec "$@" {redirected}',
            "sh",
            sys.executable,
            "-m",
            "convatlas",
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_done_if_standard_output_is_closed(
    command: str, bundle: str, pics: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    end = ran(">&-", command, *COMMANDS[command])
    assert end.returncode == 2
    assert end.stderr == (
        "error: standard output is closed; let it go to a file, or to /dev/null\n"
    )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("command", ["list", "show", "predict"])
def test_a_full_disk_is_one_line(command: str, bundle: str, pics: str) -> None:
    end = ran(">/dev/full", command, *COMMANDS[command])
    assert end.returncode == 2
    assert end.stderr == "error: cannot write the results: No space left on device; make room\n"


def test_names_are_not_read_from_a_closed_standard_input(bundle: str, pics: str) -> None:
    end = ran("<&-", "predict", bundle, "-")
    assert (end.returncode, end.stdout) == (2, "")
    assert end.stderr == (
        "error: standard input is closed; write the names of files to it, or give them\n"
    )
    named = ran("<&-", "predict", bundle, "pics/even/00.png")
    assert (named.returncode, named.stderr) == (0, "")
