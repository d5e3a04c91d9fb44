"""What ends a request before its answer: the time that it may take, and its client's going away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from convatlas.serving.problems import CLIENT_GONE, Problem

SOON = 0.02  # seconds within which most answers are there, and nobody need have looked out


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a request must have been answered."""

    seconds: float
    until: float

    def left(self) -> float:
        """Seconds, never below 0."""
        return max(0.0, self.until - asyncio.get_running_loop().time())


class Watch:
    """Cancels what is awaited when time is up or the client is gone; `problem` then says which."""

    def __init__(
        self, request: Request, awaited: Sequence[asyncio.Future[Any]], deadline: Deadline
    ) -> None:
        self._request, self._awaited, self._deadline = request, awaited, deadline
        self.problem: Problem | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(min(SOON, deadline.left()), self._begin)

    def end(self) -> None:
        """Nothing is awaited any more."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._deadline.left()):
                while (await self._request.receive())["type"] != "http.disconnect":
                    pass
            self.problem = Problem(CLIENT_GONE, "the client went away")
        except TimeoutError:
            seconds = self._deadline.seconds
            self.problem = Problem(
                504, f"not answered within {seconds:g} s; try again later", why="timeout"
            )
        for each in self._awaited:
            each.cancel()
