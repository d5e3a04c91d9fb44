"""The document is true, and no request breaks the server: both tried with made-up requests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from served import Served

from convatlas.serving.app import ENDPOINTS
from convatlas.serving.limits import Limits
from convatlas.serving.openapi import SAID, document

TOKEN = "0123456789abcdef"
HOOKS = '''
"""Real pictures among the made-up ones."""
import io
import schemathesis
from hypothesis import strategies as st
from PIL import Image

def picture(kind, side, shade):
    file = io.BytesIO()
    Image.new("RGB", side, shade).save(file, kind)
    return file.getvalue()

sides = st.tuples(st.integers(1, 40), st.integers(1, 40))
shades = st.tuples(*[st.integers(0, 255)] * 3)
for kind in ("png", "jpeg", "webp", "bmp"):
    made = st.builds(picture, st.just(kind), sides, shades)
    schemathesis.openapi.media_type(f"image/{kind}", made)
'''

# what a request that breaks the description may get; 413 is not among the tool's own
SETTINGS = """
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "404", "405", "413", "415", "422"]
"""


@pytest.mark.parametrize("guarded", [False, True])
def test_every_path_and_method_is_described_and_no_other(guarded: bool) -> None:
    paths = document(Limits(), guarded=guarded)["paths"]
    assert {path: [m.upper() for m in paths[path]] for path in paths} == {
        path: [method] for path, (method, _) in ENDPOINTS.items()
    }
    assert ("401" in paths["/predict"]["post"]["responses"]) == guarded


def test_the_page_has_every_path_and_every_status() -> None:
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    for path, (method, _) in ENDPOINTS.items():
        assert f"| `{method} {path}` |" in page
    for status in (*SAID, 404, 405, 501):
        assert f"| {status} |" in page


@pytest.mark.slow
def test_made_up_requests_get_what_the_document_says(
    start: Callable[..., Served], tmp_path: Path
) -> None:
    """schemathesis in its own process: examples, edge cases and random data, valid and not.

    All its checks but one: that valid data is accepted. The schema can only say that a picture is
    bytes, and most bytes are none.
    """
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "hooks.py").write_text(HOOKS)
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    served = start(
        *("--token-file", str(tmp_path / "token"), "--log-level", "error"),
        *("--max-bytes", "100000", "--max-pixels", "1000", "--timeout", "5"),
    )
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", f"{served.url}/openapi.json"),
        *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
        *("--max-examples", "200", "--seed", "0", "--mode", "all", "--continue-on-failure"),
        *("--header", f"Authorization: Bearer {TOKEN}", "--request-timeout", "10"),
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert httpx2.get(f"{served.url}/readyz").status_code == 200
    served.process.terminate()
    assert served.end() == (0, "")
