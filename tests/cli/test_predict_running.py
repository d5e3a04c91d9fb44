"""`convatlas predict` while it runs: names that come late, Ctrl-C, closed pipes, terminals."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from predicting import CONVATLAS, Run

pytestmark = pytest.mark.usefixtures("elsewhere")


def begun(*arguments: str | Path, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CONVATLAS, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_each_name_is_answered_before_the_next_is_written(bundle: str, pics: str) -> None:
    with begun(bundle, "-", "--top", 1) as running:
        assert running.stdin
        assert running.stdout
        for name, colour in (("pics/even/00.png", "red"), ("pics/odd/01.png", "green")) * 3:
            running.stdin.write(name + "\n")
            running.stdin.flush()
            assert running.stdout.readline() == f"{name}  {colour} 100.0%\n"
        running.stdin.close()
        assert running.wait() == 0


@pytest.mark.parametrize("form", ["--json", "--csv", "--top=1"])
def test_control_c_says_stopped_and_leaves_what_can_be_read(
    form: str, bundle: str, pics: str
) -> None:
    with begun(bundle, "-", form) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write("pics/even/00.png\npics/odd/01.png\n")
        running.stdin.flush()
        first = running.stdout.readline()
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
        out, err = first + running.stdout.read(), running.stderr.read()
    assert err.splitlines()[-1] == "stopped"
    assert "Traceback" not in err
    assert err.startswith("2 done, 0 failed, ")
    if form == "--json":
        assert [r["path"] for r in json.loads(out)] == ["pics/even/00.png", "pics/odd/01.png"]
    if form == "--csv":
        assert len(list(csv.DictReader(io.StringIO(out)))) == 2


def test_a_closed_pipe_ends_it_quietly(bundle: str, pics: str) -> None:
    names = "pics/even/00.png\n" * 20_000
    with begun(bundle, "-") as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        stdin = running.stdin

        def write() -> None:
            try:
                stdin.write(names)
                stdin.close()
            except BrokenPipeError:
                pass

        writing = threading.Thread(target=write)
        writing.start()
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(60) == 141
        writing.join()
        assert running.stderr.read() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("form", ["--json", "--csv", "--top=1"])
def test_a_full_disk_is_one_line(form: str, bundle: str, pics: str) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*CONVATLAS, bundle, pics, form],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr == "error: cannot write the results: No space left on device; make room\n"


def at_a_terminal(*arguments: str) -> str:
    """What is written to standard error while it is a terminal."""
    ours, theirs = pty.openpty()
    with begun(*arguments, stderr=theirs) as running:
        os.close(theirs)
        running.communicate("")
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # so Linux says that the other side is closed
        pass
    os.close(ours)
    return seen.decode()


def test_a_bar_is_shown_at_a_terminal_for_many(bundle: str, pics: str) -> None:
    many = at_a_terminal(bundle, pics)
    assert "12/?" in many
    assert "error: pics/odd/07.png: broken or cut off" in many
    assert "11 done, 1 failed" in many
    assert "12/12" in at_a_terminal(bundle, *["pics/even/00.png"] * 12)
    assert at_a_terminal(bundle, "pics/even/00.png") == ""


def test_choosing_an_engine_is_told(bundle: str, pics: str, predict: Run) -> None:
    auto = (bundle, "pics/even/00.png", "--engine", "auto", "--threads", "1")
    assert "engine auto: opening it with" in at_a_terminal(*auto, "--batch", "2")
    assert predict(*auto, "--batch", "3", "--json").stderr == ""
    assert predict(*auto).stderr == f"{bundle}, engine auto ...\n"
    assert predict(*auto).stderr == ""  # it is remembered
