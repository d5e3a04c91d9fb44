"""What becomes of the process when its engine hangs or its batches cannot go on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
from half import Half

ENDLESS = """
import dataclasses, sys, time
from pathlib import Path
from convatlas.runtime.opened import open_classifier
from convatlas.serving.limits import Limits
from convatlas.serving.server import Address, serve

def stuck():
    whole = open_classifier(Path(sys.argv[1]), threads=1)

    def run(fed):
        warming = fed.min() == fed.max()
        time.sleep(float(sys.argv[2]) if warming else 9999)
        return whole.run(fed)

    return dataclasses.replace(whole, run=run)

limits = Limits(grace=1, timeout=float(sys.argv[3]))
serve(stuck, engine="stuck", address=Address(port=0), limits=limits, threads=1,
      say=lambda line: print(line, flush=True))
"""

BROKEN = """
import sys
from pathlib import Path
from convatlas.runtime.opened import open_classifier
from convatlas.serving.limits import Limits
from convatlas.serving.metrics import Metrics
from convatlas.serving.server import Address, serve

def full(self, size, seconds):
    raise OSError("no space left")

Metrics.batch_ran = full
serve(lambda: open_classifier(Path(sys.argv[1]), threads=1), engine="onnxruntime",
      address=Address(port=0), limits=Limits(), threads=1,
      say=lambda line: print(line, flush=True))
"""


@contextmanager
def started(script: str, *arguments: str, err: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of one's own making, and its address, once it serves."""
    command = [sys.executable, "-c", script, *arguments]
    with (
        err.open("w") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, next(word for word in line.split() if word.startswith("http://"))


def asked(url: str, blob: bytes) -> Half:
    """A client that has sent a whole request."""
    client = Half(int(url.rpartition(":")[2]), blob)
    client.finish()
    return client


def test_an_engine_that_never_returns_does_not_keep_it(
    bundle: Path, files: list[bytes], tmp_path: Path
) -> None:
    with started(ENDLESS, str(bundle), "0.01", "30", err=tmp_path / "err") as (process, url):
        client = asked(url, files[0])
        while "convatlas_queue_pictures 1.0" not in httpx2.get(f"{url}/metrics").text:
            time.sleep(0.01)
        process.terminate()
        assert client.answer().startswith(b"HTTP/1.1 503 ")
        assert process.wait(30) == 0


def test_a_quick_engine_that_never_returns_ends_it(
    bundle: Path, files: list[bytes], tmp_path: Path
) -> None:
    """As it runs where requests are answered, no answer and no signal would get through."""
    err = tmp_path / "err"
    with started(ENDLESS, str(bundle), "0", "0.5", err=err) as (process, url):
        client = asked(url, files[0])
        with suppress(ConnectionError):
            assert client.answer() == b""
        assert process.wait(30) == 1
    assert "the engine has not answered for" in err.read_text()


def test_if_it_can_run_no_more_batches_it_ends_for_another_to_be_started(
    bundle: Path, files: list[bytes], tmp_path: Path
) -> None:
    err = tmp_path / "err"
    with started(BROKEN, str(bundle), err=err) as (process, url):
        assert asked(url, files[0]).answer().startswith(b"HTTP/1.1 503 ")
        assert process.wait(30) == 1
    assert "no space left" in err.read_text()
