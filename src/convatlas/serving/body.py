"""The pictures of a request, read into memory within the limits."""

import re
from collections.abc import AsyncIterator

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from convatlas.serving.limits import BODIES, Limits
from convatlas.serving.multipart import Form, Upload
from convatlas.serving.problems import Problem, busy

FORM = "multipart/form-data"
DIGITS = re.compile("[0-9]+", re.ASCII)
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "application/octet-stream")


class Budget:
    """The bytes of all bodies that are in memory together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Raises `Problem` 503 if so much is not left."""
        if size > self._left:
            raise busy(1, "memory")
        self._left -= size

    def give_back(self, size: int) -> None:
        """What `take` took."""
        self._left += size


class Body:
    """One request's body: read it once, then give its bytes back."""

    def __init__(self, request: Request, limits: Limits, budget: Budget) -> None:
        self._request, self._limits, self._budget = request, limits, budget
        self._taken = 0

    async def uploads(self) -> tuple[Upload, ...]:
        """The pictures in it. Raises `Problem`: 400, 413, 415 or 503."""
        content_type = self._request.headers.get("content-type", "")
        kind = parse_options_header(content_type)[0].decode("latin-1")
        if kind != FORM and kind not in PICTURES:
            raise Problem(415, f"content type {kind[:80]!r}; send {', '.join(PICTURES)} or {FORM}")
        if self._request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "the body is compressed; send pictures as they are")
        if kind == FORM:
            form = Form(content_type, self._limits.max_pictures)
            async for chunk in self._chunks():
                form.write(chunk)
            return form.uploads()
        return (Upload(None, b"".join([chunk async for chunk in self._chunks()])),)

    def give_back(self) -> None:
        """The body is no longer held."""
        self._budget.give_back(self._taken)
        self._taken = 0

    async def _chunks(self) -> AsyncIterator[bytes]:
        claimed = self._request.headers.get("content-length", "")
        if DIGITS.fullmatch(claimed) and int(claimed[:20]) > self._limits.max_bytes:
            raise self._too_large()
        async for chunk in self._request.stream():
            if self._taken + len(chunk) > self._limits.max_bytes:
                raise self._too_large()
            self._budget.take(len(chunk))
            self._taken += len(chunk)
            yield chunk

    def _too_large(self) -> Problem:
        return Problem(
            413,
            f"the body is larger than {self._limits.max_bytes} bytes; "
            "send smaller pictures, or fewer at a time",
        )


def budget(limits: Limits) -> Budget:
    """For a server with these limits."""
    return Budget(BODIES * limits.max_bytes)
