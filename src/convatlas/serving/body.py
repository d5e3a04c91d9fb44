"""The pictures of a request, read into memory within the limits."""

import io
import re
from collections.abc import AsyncIterator

from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from convatlas.serving.budget import Budget, Sent
from convatlas.serving.limits import BODIES, Limits
from convatlas.serving.multipart import Form, Upload
from convatlas.serving.problems import Problem

FORM = "multipart/form-data"
DIGITS = re.compile("[0-9]+", re.ASCII)
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "application/octet-stream")


class Body:
    """One request's body."""

    def __init__(self, request: Request, limits: Limits, budget: Budget) -> None:
        self._request, self._limits, self._budget = request, limits, budget
        self._taken = 0

    async def pictures(self) -> tuple[Sent, ...]:
        """The pictures in it; each must be dropped. Raises `Problem`: 400, 413, 415 or 503."""
        try:
            uploads = await self._uploads()
            self._taken -= sum(len(upload.blob) for upload in uploads)
            return tuple(Sent(upload, self._budget) for upload in uploads)
        finally:  # all, or what was around the pictures
            self._budget.give_back(self._taken)

    async def _uploads(self) -> tuple[Upload, ...]:
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
        whole = io.BytesIO()  # gives its bytes without a copy
        async for chunk in self._chunks():
            whole.write(chunk)
        return (Upload(None, whole.getvalue()),)

    async def _chunks(self) -> AsyncIterator[bytes]:
        claimed = self._request.headers.get("content-length", "")
        if DIGITS.fullmatch(claimed) and int(claimed[:20]) > self._limits.max_bytes:
            raise self._too_large()
        more = True
        while more:
            message = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk, more = message.get("body", b""), message.get("more_body", False)
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
