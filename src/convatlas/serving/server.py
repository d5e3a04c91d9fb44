"""The process: a socket, the service behind it, and how it stops."""

import errno
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from convatlas.errors import UserError
from convatlas.runtime.classifier import Classifier
from convatlas.serving.app import app
from convatlas.serving.limits import Limits
from convatlas.serving.protocol import PatientProtocol
from convatlas.serving.service import Service, service
from convatlas.serving.token import VARIABLE, read_token

LOG = logging.getLogger("convatlas.serving")
KEEP_ALIVE = 30  # seconds; longer than a scraper's or a load balancer's interval
BACKLOG = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server listens, who may ask, and how much it says."""

    host: str = "127.0.0.1"
    port: int = 8000
    token_file: Path | None = None
    log_level: str = "info"


def serve(
    open_classifier: Callable[[], Classifier],
    *,
    engine: str,
    address: Address,
    limits: Limits,
    say: Callable[[str], None],
) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; then answer what was accepted, and return.

    ``say`` gets one line once requests are answered. Raises `UserError` before that for a port in
    use, a token that is none, or what ``open_classifier`` raises.
    """
    _log_to_stderr(address.log_level)
    token = read_token(address.token_file)
    bound = bind(address.host, address.port)
    with bound:
        host, port = bound.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        if token is None and not ipaddress.ip_address(host).is_loopback:
            LOG.warning(
                "%s can be reached from other machines and asks for no token; "
                "give one with --token-file or %s",
                url,
                VARIABLE,
            )
        stopping = threading.Event()
        served = service(
            open_classifier(), limits, engine=engine, token=token, stopping=stopping.is_set
        )
        if (served.model.weights or "").startswith("drawn"):
            LOG.warning("the weights of %s are %s", served.model.network, served.model.weights)
        server = _Server(_config(served), stopping, lambda: say(started_line(served, url)))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, server.handle_exit)  # also when uvicorn raises them once more
        server.run(sockets=[bound])
        if served.batcher.running:  # past the grace, and Python would wait for the engine's thread
            logging.shutdown()
            os._exit(0)


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready and when it stops."""

    def __init__(
        self, config: uvicorn.Config, stopping: threading.Event, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._stopping, self._announce = stopping, announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop."""
        self._stopping.set()
        super().handle_exit(sig, frame)


def _config(served: Service) -> uvicorn.Config:
    return uvicorn.Config(
        app(served),
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # ours has fewer words and no text of the client's
        proxy_headers=False,
        server_header=False,
        workers=1,  # not what WEB_CONCURRENCY says: one engine uses all cores
        limit_concurrency=served.limits.connections,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=served.limits.grace,
        backlog=BACKLOG,
    )


def bind(host: str, port: int) -> socket.socket:
    """A socket that does not listen yet: requests are refused until there is an engine."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UserError(f"--host {host}: no such address ({error}); try 127.0.0.1") from None
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port {port} of {host} is in use; choose another with --port, or 0 for any"
            ) from None
        raise UserError(
            f"cannot listen at {host} port {port}: {error.strerror}; "
            "choose others with --host and --port"
        ) from None
    return bound


def started_line(served: Service, url: str) -> str:
    """What is served, where, and within which limits."""
    limits, model = served.limits, served.model
    return (
        f"serving {model.network} ({model.precision}, {model.engine}) at {url}  "
        f"pid {os.getpid()}  batches of {limits.max_batch} within {1000 * limits.max_wait:g} ms, "
        f"queue of {limits.queue}, {limits.max_pictures} pictures and "
        f"{limits.max_bytes / 2**20:g} MiB a request, {limits.timeout:g} s, "
        f"{'a token' if served.token else 'no token'}"
    )


def _log_to_stderr(level: str) -> None:
    """Ours at the level asked for; of the libraries only errors, as any client can cause warnings.

    Each request that is not HTTP would be a line of uvicorn's, and quoted by the form's parser.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    LOG.setLevel(level.upper())
    for name in ("uvicorn.error", "python_multipart"):
        logging.getLogger(name).setLevel(logging.ERROR)
