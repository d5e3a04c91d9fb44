"""The image's recipe: the server runs with what it installs, without the rest of the core."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
IMPORTED_AS = {
    "pillow": "PIL",
    "python-multipart": "python_multipart",
    "tomli-w": "tomli_w",
}
SERVE = """
import sys
for name in sys.argv[1].split():
    sys.modules[name] = None  # importing it fails
sys.argv = ["convatlas", "serve", sys.argv[2], "--port", "0", "--threads", "1"]
from convatlas.cli import main
main()
"""


def requirements() -> tuple[set[str], set[str]]:
    """Those that the core and the extra `web` ask for, and those in the Dockerfile."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {*project["dependencies"], *project["optional-dependencies"]["web"]}
    installed = set(re.findall(r'^    "(\S+>=\S+)"', (ROOT / "Dockerfile").read_text(), re.M))
    return asked, installed


def name(requirement: str) -> str:
    package = re.split("[<>=]", requirement)[0]
    return IMPORTED_AS.get(package, package)


def test_the_image_has_the_projects_own_floors() -> None:
    asked, installed = requirements()
    assert installed <= asked
    web = {"starlette", "uvicorn", "python_multipart", "prometheus_client", "onnxruntime"}
    assert web <= {name(each) for each in installed}


def test_it_runs_with_what_the_image_has(bundle: Path, files: list[bytes]) -> None:
    asked, installed = requirements()
    missing = {name(each) for each in asked - installed}
    assert {"torch", "matplotlib", "rich", "requests"} <= missing
    command = [sys.executable, "-c", SERVE, " ".join(missing), str(bundle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        answer = httpx2.post(f"{url}/predict", files=[("images", file) for file in files])
        process.terminate()
    assert process.returncode == 0
    assert answer.status_code == 200
    assert all(each["guesses"] for each in answer.json()["predictions"])


@pytest.mark.parametrize("word", ["USER 65534", "HEALTHCHECK", "ORT_DISABLE_TELEMETRY=1"])
def test_it_is_no_root_is_probed_and_tells_nobody(word: str) -> None:
    assert word in (ROOT / "Dockerfile").read_text()
