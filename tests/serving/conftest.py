"""A small network's bundle, pictures, and services that run in the test's own process."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asked import Held
from noise import encoded
from runnable import network
from served import Served

from convatlas.runtime.classifier import Classifier
from convatlas.runtime.export import export
from convatlas.runtime.opened import open_classifier
from convatlas.serving.limits import Limits
from convatlas.serving.service import Service, service


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    (path,) = export(network("lenet-bn", prepared=True), "bundle", folder / "lenet").files
    return path


@pytest.fixture(scope="session")
def classifier(bundle: Path) -> Classifier:
    return open_classifier(bundle, threads=1)


@pytest.fixture(scope="session")
def files() -> list[bytes]:
    """Pictures in each of the formats taken, of several sizes."""
    kinds = ("PNG", "JPEG", "WEBP", "BMP")
    return [encoded(i, 30 + 7 * i, 50 - 5 * i, kind) for i, kind in enumerate(kinds)]


@pytest.fixture
def make(classifier: Classifier) -> Iterator[Callable[..., Service]]:
    """Services with limits of one's own; `run` replaces the engine, `token` guards."""
    made: list[Service] = []

    def build(*, run: object = None, token: str | None = None, **limits: float) -> Service:
        used = Classifier(card=classifier.card, run=run) if run else classifier  # type: ignore[arg-type]  # each test's engine has its own type
        made.append(service(used, Limits(**limits), engine="onnxruntime", token=token))  # type: ignore[arg-type]  # seconds are floats, counts are not
        return made[-1]

    yield build
    for each in made:
        each.decoders.end()


@pytest.fixture
def start(bundle: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start `convatlas serve` with options, and wait until it says that it serves."""
    started: list[subprocess.Popen[str]] = []
    err = tmp_path / "stderr"

    def run(*options: str) -> Served:
        command = [sys.executable, "-m", "convatlas", "serve", str(bundle), "--port", "0"]
        with err.open("w") as file:  # not a pipe, which would fill and hold the server up
            process = subprocess.Popen(
                [*command, "--threads", "1", *options],
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, err.read_text()
        url = next(word for word in line.split() if word.startswith("http://"))
        return Served(process, line, url, err)

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def held(classifier: Classifier) -> Held:
    return Held(classifier)
