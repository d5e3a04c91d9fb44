"""The parts of a multipart/form-data body, kept in memory.

python-multipart's parser is fed with the chunks as they come. Starlette's form would do the same
but spools large parts to temporary files; here nothing reaches the file system, and the size of
the body is bounded before it gets here.
"""

import io
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from convatlas.serving.problems import Problem

FIELD = "images"
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as sent, and the name it was sent under, which is never used as a path."""

    name: str | None
    blob: bytes


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    content: io.BytesIO = field(default_factory=io.BytesIO)  # gives its bytes without a copy


class Form:
    """A form being read: `write` each chunk, then `uploads`. Raises `Problem`."""

    def __init__(self, content_type: str, most: int) -> None:
        self._most = most
        self._parts: list[_Part] = []
        self._field, self._value = bytearray(), bytearray()
        self._ended = False
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise _malformed("the content type names no boundary")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._on_field,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header,
                    "on_part_data": self._on_data,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _malformed(str(error)) from None

    def write(self, chunk: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(str(error)) from None

    def uploads(self) -> tuple[Upload, ...]:
        """The pictures, once the whole body has been written."""
        if not self._ended:
            raise _malformed("the body ends before its last boundary")
        if not self._parts:
            raise Problem(400, f"the form is empty; send a file in the field {FIELD!r}")
        return tuple(_upload(part) for part in self._parts)

    def _begin(self) -> None:
        if len(self._parts) == self._most:
            raise Problem(
                413, f"more than {self._most} pictures in a request; send several requests"
            )
        self._parts.append(_Part())

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._parts[-1].headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._parts[-1].content.write(memoryview(data)[start:end])

    def _on_end(self) -> None:
        self._ended = True


def _upload(part: _Part) -> Upload:
    disposition = part.headers.get(b"content-disposition", b"")
    kind, options = parse_options_header(disposition)
    if kind != b"form-data" or options.get(b"name") != FIELD.encode():
        raise Problem(400, f"every part must be a file in the field {FIELD!r}")
    name = options.get(b"filename")
    return Upload(None if name is None else _text(name), part.content.getvalue())


def _text(name: bytes) -> str:
    try:
        return name.decode()[:LONGEST_NAME]
    except UnicodeDecodeError:
        return name.decode("latin-1")[:LONGEST_NAME]


def _malformed(why: str) -> Problem:
    return Problem(400, f"not a multipart form: {why}")
