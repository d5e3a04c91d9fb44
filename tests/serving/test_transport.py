import asyncio

from convatlas.serving.transport import GatheringTransport


class Line:
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        self.said: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def close(self) -> None:
        self.said.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.said


def test_what_is_written_at_one_moment_goes_out_at_once_and_before_the_end() -> None:
    async def story() -> None:
        line = Line()
        joined = GatheringTransport(line, asyncio.get_running_loop())  # type: ignore[arg-type]  # as much of one as is used
        for data in (b"head", b"", b"body"):
            joined.write(data)
        assert line.said == []
        await asyncio.sleep(0)
        assert line.said == [b"headbody"]
        joined.write(b"more")
        assert not joined.is_closing()
        joined.close()
        assert joined.is_closing()
        await asyncio.sleep(0)
        assert line.said == [b"headbody", b"more", "closed"]

    asyncio.run(story())
