import asyncio

import pytest

from convatlas.serving import transport
from convatlas.serving.transport import LingeringTransport


class Line:
    """A transport that notes what it is told; ``unread``: bytes that the client does not take."""

    def __init__(self, *, unread: int = 0, gone: bool = False) -> None:
        self.said: list[bytes | str] = []
        self.unread, self.gone = unread, gone

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def write_eof(self) -> None:
        if self.gone:
            raise OSError("not connected")
        self.said.append("no more")

    def resume_reading(self) -> None:
        self.said.append("reading")

    def get_write_buffer_size(self) -> int:
        return self.unread

    def close(self) -> None:
        self.said.append("closed")

    def abort(self) -> None:
        self.said.append("aborted")

    def is_closing(self) -> bool:
        return "closed" in self.said


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LINGER_SECONDS", 0.01)
    monkeypatch.setattr(transport, "UNREAD_SECONDS", 0.01)


def lingering(line: Line) -> LingeringTransport:
    return LingeringTransport(line, asyncio.get_running_loop())  # type: ignore[arg-type]  # as much of one as is used


def test_what_is_written_at_one_moment_goes_out_at_once_and_before_the_end() -> None:
    async def story() -> None:
        line = Line()
        sending = lingering(line)
        for data in (b"head", b"", b"body"):
            sending.write(data)
        assert line.said == []
        await asyncio.sleep(0)
        assert line.said == [b"headbody"]
        sending.write(b"more")
        assert not sending.is_closing()
        sending.close()
        assert sending.is_closing()
        sending.close()
        await asyncio.sleep(0)
        assert line.said == [b"headbody", b"more", "no more", "reading"]
        await asyncio.sleep(0.03)
        assert line.said[4:] == ["closed"]

    asyncio.run(story())


def test_who_does_not_take_what_is_sent_is_left() -> None:
    async def story() -> None:
        line = Line(unread=9)
        lingering(line).close()
        await asyncio.sleep(0.05)
        assert line.said == ["no more", "reading", "closed", "aborted"]

    asyncio.run(story())


def test_a_client_that_has_gone_is_no_error() -> None:
    async def story() -> None:
        line = Line(gone=True)
        lingering(line).close()
        await asyncio.sleep(0.03)
        assert line.said == ["reading", "closed"]

    asyncio.run(story())
