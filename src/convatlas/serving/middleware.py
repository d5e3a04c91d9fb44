"""Around every request: its time, its line in the log, and an answer whatever happens inside."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convatlas.serving.metrics import OTHER, Metrics
from convatlas.serving.problems import CLIENT_GONE, Problem

LOG = logging.getLogger("convatlas.serving")
CLOSE = (b"connection", b"close")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class _Unsent(Exception):
    """The connection takes no answer any more."""


class Middleware:
    """An ASGI application that never raises and is counted.

    ``paths``: those that are named in log and metrics; all others are one, as a client could
    name any number. Once it is ``stopping`` each answer says that its connection is closed, so that
    no client sends more on it.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        paths: Collection[str],
        stopping: Callable[[], bool],
    ) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._stopping():
                    message = {**message, "headers": [*message["headers"], CLOSE]}
            try:
                await send(message)
            except Exception as error:  # a body that is no HTTP has ended the connection
                raise _Unsent from error

        with self._metrics.in_flight.track_inprogress():
            try:
                await self._app(scope, receive, noted)
            except (Exception, asyncio.CancelledError) as error:
                problem = _problem(error)
                if problem.why:
                    self._metrics.rejected.labels(problem.why).inc()
                if not status:
                    with contextlib.suppress(_Unsent):
                        await problem.response()(scope, receive, noted)
        self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self._paths else OTHER
        self._metrics.requests.labels(path, str(status)).inc()
        if status != CLIENT_GONE:
            self._metrics.seconds.labels(path).observe(seconds)
        if LOG.isEnabledFor(logging.INFO):
            method = scope["method"] if scope["method"] in METHODS else "?"
            client = scope["client"][0] if scope.get("client") else "-"
            LOG.info("%s %s %s %d %.1f ms", client, method, path, status, 1000 * seconds)


def _problem(error: BaseException) -> Problem:
    """What the client is told; what is nobody's fault but ours is also logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, _Unsent):
        return Problem(CLIENT_GONE, "the client went away")
    if isinstance(error, asyncio.CancelledError):  # the time to finish is over
        return Problem(503, "the server has stopped; send it to another", why="stopped")
    LOG.error("a request failed", exc_info=error)
    return Problem(500, "something went wrong; the server's log says what")
