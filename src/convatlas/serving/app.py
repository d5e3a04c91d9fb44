"""The ASGI application: what stands at which path."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from convatlas.serving.answers import Links, Status
from convatlas.serving.middleware import Middleware
from convatlas.serving.openapi import document
from convatlas.serving.predict import predict
from convatlas.serving.problems import Problem
from convatlas.serving.service import Service
from convatlas.serving.token import check

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

Endpoint = Callable[[Service, Request], Awaitable[Response]]


def app(service: Service) -> ASGIApp:
    """The service at its paths."""
    life = Router(lifespan=partial(_lifespan, service))

    async def endpoints(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":  # the router is for paths with patterns, and takes longer
            response = await _endpoint(scope)(service, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await life(scope, receive, send)

    return Middleware(endpoints, service.metrics, frozenset(ENDPOINTS), service.stopping)


def _endpoint(scope: Scope) -> Endpoint:
    """What is asked for; raises `Problem` 404 and 405."""
    if scope["path"] not in ENDPOINTS:
        raise Problem(404, "there is nothing here; see /openapi.json")
    method, endpoint = ENDPOINTS[scope["path"]]
    taken = ("GET", "HEAD") if method == "GET" else (method,)
    if scope["method"] not in taken:
        raise Problem(405, "not a method of this path", headers={"Allow": ", ".join(taken)})
    return endpoint


@contextlib.asynccontextmanager
async def _lifespan(service: Service, _app: object) -> AsyncIterator[None]:
    work = asyncio.create_task(service.batcher.work())
    try:
        yield
    finally:
        service.batcher.stop()
        work.cancel()
        service.decoders.end()


def _json(answer: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, media_type="application/json")


async def _links(_service: Service, _request: Request) -> Response:
    return _json(Links())


async def _model(service: Service, request: Request) -> Response:
    check(request, service.token)
    return _json(service.model)


async def _metrics(service: Service, request: Request) -> Response:
    check(request, service.token)
    return Response(service.metrics.text(), headers={"content-type": PROMETHEUS})


async def _alive(_service: Service, _request: Request) -> Response:
    return _json(Status(status="alive"))


async def _ready(service: Service, _request: Request) -> Response:
    """It takes work, and gets it done."""
    if service.stopping() or service.batcher.failed:
        raise Problem(503, "the server is stopping")
    if (seconds := service.batcher.running_for) > service.limits.timeout:
        raise Problem(503, f"the engine has not answered for {seconds:.0f} s")
    return _json(Status(status="ready"))


async def _openapi(service: Service, _request: Request) -> Response:
    text = msgspec.json.encode(document(service.limits, guarded=service.token is not None))
    return Response(text, media_type="application/json")


ENDPOINTS: dict[str, tuple[str, Endpoint]] = {
    "/": ("GET", _links),
    "/predict": ("POST", predict),
    "/model": ("GET", _model),
    "/metrics": ("GET", _metrics),
    "/healthz": ("GET", _alive),
    "/readyz": ("GET", _ready),
    "/openapi.json": ("GET", _openapi),
}
