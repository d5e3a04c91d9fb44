import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from convatlas.data.download import download
from convatlas.errors import UserError

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Site:
    """What the server does, and what it was asked."""

    content: bytes = CONTENT
    ranges: bool = True
    status: int = 200
    break_after: int | None = None  # bytes sent before the connection is dropped
    wait: float = 0  # seconds before answering
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, state)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/files/data.gz"
        yield state
        server.shutdown()
        thread.join()


def answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    asked = handler.headers["Range"]
    site.asked.append(asked)
    time.sleep(site.wait)
    start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and site.ranges else 0
    if start and start >= len(site.content):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(site.content)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    handler.send_response(206 if start else site.status)
    if start:
        last = len(site.content) - 1
        handler.send_header("Content-Range", f"bytes {start}-{last}/{len(site.content)}")
    body = site.content[start:]
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    with suppress(ConnectionError):  # the client may have given up
        handler.wfile.write(body[: site.break_after])


def test_a_whole_file(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "new" / "data.gz"
    download(site.url, path, sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert site.asked == [None]


def test_a_broken_connection_is_resumed_next_time(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    site.break_after = 300_000
    with pytest.raises(UserError, match="broke off; run again to continue it") as caught:
        download(site.url, path, sha256=SHA256)
    assert site.url in str(caught.value)
    assert str(path) in str(caught.value)
    assert not path.exists()
    part = tmp_path / "data.gz.part"
    have = part.stat().st_size
    assert 0 < have <= 300_000
    assert part.read_bytes() == CONTENT[:have]
    site.break_after = None
    download(site.url, path, sha256=SHA256)
    assert site.asked == [None, f"bytes={have}-"]
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_a_server_that_ignores_ranges_is_read_from_the_beginning(
    site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "data.gz"
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:1000])
    site.ranges = False
    download(site.url, path, sha256=SHA256)
    assert site.asked == ["bytes=1000-"]
    assert path.read_bytes() == CONTENT


def test_a_part_that_was_already_complete(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    (tmp_path / "data.gz.part").write_bytes(CONTENT)
    download(site.url, path, sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert site.asked == [f"bytes={len(CONTENT)}-"]


def test_a_part_longer_than_the_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    (tmp_path / "data.gz.part").write_bytes(CONTENT + b"more")
    download(site.url, path, sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert site.asked == [f"bytes={len(CONTENT) + 4}-", None]


@pytest.mark.parametrize("begun", [b"", b"not its beginning"])
def test_a_wrong_checksum_leaves_nothing_behind(site: Site, tmp_path: Path, begun: bytes) -> None:
    path = tmp_path / "data.gz"
    if begun:
        (tmp_path / "data.gz.part").write_bytes(begun)
    else:
        site.content = b"another file"
    with pytest.raises(UserError, match=f"not {SHA256}; it was removed.* by hand and save it as"):
        download(site.url, path, sha256=SHA256)
    assert list(tmp_path.iterdir()) == []


def test_an_error_page_is_not_saved(site: Site, tmp_path: Path) -> None:
    site.status = 404
    with pytest.raises(UserError, match=r"data\.gz: the server answered 404"):
        download(site.url, tmp_path / "data.gz", sha256=SHA256)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_falls_silent(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convatlas.data.download.TIMEOUT", (5, 0.05))
    site.wait = 0.3
    with pytest.raises(UserError, match="the server does not answer; run again to continue it"):
        download(site.url, tmp_path / "data.gz", sha256=SHA256)


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.gz"
    with pytest.raises(UserError) as caught:
        download(url, tmp_path / "data.gz", sha256=SHA256)
    message = str(caught.value)
    assert f"cannot download {url}: no connection" in message
    assert f"fetch it by hand and save it as {tmp_path / 'data.gz'}" in message
    assert "\n" not in message


def test_a_folder_that_cannot_be_made(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot save .*: "):
        download(site.url, tmp_path / "file" / "data.gz", sha256=SHA256)
    assert site.asked == []


def test_a_terminal_sees_how_far_it_is(
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:1000])
    download(site.url, tmp_path / "data.gz", sha256=SHA256)
    out, err = capsys.readouterr()
    assert out == ""
    assert "data.gz" in err
    assert "1.0/1.0 MB" in err


def test_a_good_file_already_there_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(CONTENT)
    download(site.url, path, sha256=SHA256)
    assert site.asked == []
