"""Downloading one published file: resumed where it stopped, checked, then renamed into place."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from convatlas.errors import UserError

CHUNK = 1 << 18
TIMEOUT = (10.0, 30.0)  # seconds to connect, and between two pieces


def download(url: str, path: Path, *, sha256: str) -> None:
    """Fetch ``url`` to ``path``, which appears only whole and with the right checksum.

    pooch owns the checksum and the final move; it has no resuming downloader, so we give it ours.
    A wrong file is removed, partial content included: continuing it would only fail again.
    """
    by_hand = f"or fetch it by hand and save it as {path}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve(
            url,
            known_hash=f"sha256:{sha256}",
            fname=path.name,
            path=path.parent,
            downloader=Resuming(path.with_name(f"{path.name}.part")),
        )
    except requests.RequestException as error:
        raise UserError(
            f"cannot download {url}: {_reason(error)}; run again to continue it, {by_hand}"
        ) from error
    except OSError as error:
        raise UserError(f"cannot save {url} as {path}: {error.strerror or error}") from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise UserError(
            f"{url} is not the published file: its SHA-256 is not {sha256}; "
            f"it was removed; run again, {by_hand}"
        ) from error


@dataclass(frozen=True, slots=True)
class Resuming:
    """A downloader for pooch that keeps what it has in ``part`` between attempts."""

    part: Path

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Complete ``part``, then hand it over as ``output_file``."""
        if not self._fetch(url):
            self.part.unlink()  # longer than the file, so no part of it
            self._fetch(url)
        self.part.replace(output_file)

    def _fetch(self, url: str) -> bool:
        """Append what is missing; False if the server knows no such position."""
        have = self.part.stat().st_size if self.part.exists() else 0
        # identity: a transparently packed answer would break both the ranges and the checksum
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if have and response.status_code == requests.codes.requested_range_not_satisfiable:
                return _length_told(response) == have
            response.raise_for_status()
            resumed = _starts_at(response) == have > 0
            total = int(response.headers.get("Content-Length", 0)) + (have if resumed else 0)
            with (
                self.part.open("ab" if resumed else "wb") as file,
                _progress(url, done=have if resumed else 0, total=total) as advance,
            ):
                for chunk in response.iter_content(CHUNK):
                    advance(file.write(chunk))
        return True


def _starts_at(response: requests.Response) -> int | None:
    """Where a partial answer begins; None if the server sent the whole file regardless."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found and response.status_code == 206 else None


def _length_told(response: requests.Response) -> int | None:
    """The length of the whole file, from the refusal of a range that begins past its end."""
    found = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


@contextmanager
def _progress(url: str, *, done: int, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the error stream, where that is a terminal; gives a function to advance it."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(url.rsplit("/", 1)[-1], completed=done, total=total or None)
        yield lambda amount: bar.advance(task, amount)


def _reason(error: requests.RequestException) -> str:
    """The failure in a few words; the library's own text runs over several lines."""
    if error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return "no connection" if isinstance(error, requests.ConnectionError) else str(error)
