"""The process: a socket, the service behind it, and how it stops."""

import asyncio
import errno
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from convatlas.errors import UserError
from convatlas.runtime.classifier import Classifier
from convatlas.serving.app import app
from convatlas.serving.limits import Limits
from convatlas.serving.metrics import Metrics
from convatlas.serving.protocol import PatientProtocol
from convatlas.serving.service import Service, service
from convatlas.serving.token import VARIABLE, read_token

LOG = logging.getLogger("convatlas.serving")
KEEP_ALIVE = 30  # seconds; longer than a scraper's or a load balancer's interval
BACKLOG = 1024
FORCED = 130  # exit status, as of a program that Ctrl-C ends at once
SHORTEST_PATIENCE = 5.0  # seconds; a busy machine can hold up any engine for a moment


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
    threads: int,
    say: Callable[[str], None],
) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; then answer what was accepted, and return.

    ``threads``: that decode pictures. ``say`` gets one line once requests are answered. Raises
    `UserError` before that for a port in use, a token that is none, or what ``open_classifier``
    raises. Exits with status 1 if it cannot go on, with 130 if a second SIGINT cut its end short.
    """
    _log_to_stderr(address.log_level)
    token = read_token(address.token_file)
    with ExitStack() as stack:
        bound = [stack.enter_context(each) for each in bind(address.host, address.port)]
        url = url_of(bound)
        if token is None and not all(is_loopback(each) for each in bound):
            LOG.warning(
                "%s can be reached from other machines and asks for no token; "
                "give one with --token-file or %s",
                url,
                VARIABLE,
            )
        stopping = threading.Event()
        served = service(
            open_classifier(),
            limits,
            engine=engine,
            threads=threads,
            token=token,
            stopping=stopping.is_set,
        )
        if (served.model.weights or "").startswith("drawn"):
            LOG.warning("the weights of %s are %s", served.model.network, served.model.weights)
        server = _Server(served, stopping, lambda: say(started_line(served, url)))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, server.handle_exit)  # also when uvicorn raises them once more
        ended = threading.Event()
        stack.callback(ended.set)
        threading.Thread(target=_watch, args=(served, ended), daemon=True).start()
        server.run(sockets=bound)
        status = FORCED if server.forced else int(served.batcher.failed)
        if served.batcher.running_for:  # past the grace, and it may never return
            logging.shutdown()
            os._exit(status)
        if status:
            sys.exit(status)


def _watch(served: Service, ended: threading.Event) -> None:
    """End the process if a batch that runs in the event loop does not return: nothing else can.

    It must be late twice, as a process that was paused finds every batch late when it goes on.
    """
    patience, late = max(served.limits.timeout, SHORTEST_PATIENCE), False
    while not ended.wait(1):
        seconds = served.batcher.running_for if served.batcher.quick else 0.0
        if late and seconds > patience:
            LOG.critical("the engine has not answered for %.0f s, and all waits for it", seconds)
            logging.shutdown()
            os._exit(1)
        late = seconds > patience


class _Server(uvicorn.Server):
    """uvicorn's server; it says when it is ready and when it stops, and stops if batches do."""

    def __init__(
        self, served: Service, stopping: threading.Event, announce: Callable[[], None]
    ) -> None:
        self._made = _protocol(served.metrics)
        super().__init__(_config(served, self._made))
        self.forced = False  # whether requests were left unanswered because of a second Ctrl-C
        self._served, self._stopping, self._announce = served, stopping, announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._announce()

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop; asked every 0.1 s."""
        if self._served.batcher.failed:
            self._stopping.set()
        return await super().on_tick(counter) or self._served.batcher.failed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was accepted; a second Ctrl-C leaves it, but ends the service in order."""
        await self._take_in(sockets or [])
        await super().shutdown(sockets)
        if self.force_exit:
            self.forced = True  # noted here, as uvicorn raises the signals again at its end
            await self.lifespan.shutdown()

    async def _take_in(self, sockets: Sequence[socket.socket]) -> None:
        """Stop listening, but serve who has connected: the system would reset these."""
        loop = asyncio.get_running_loop()
        for each in sockets:
            loop.remove_reader(each)
        await asyncio.sleep(0)  # for connections that asyncio is about to make
        connected = list(accepted(sockets))
        for server in self.servers:
            server.close()
        made = [loop.connect_accepted_socket(self._protocol, each) for each in connected]
        await asyncio.gather(*made, return_exceptions=True)
        await asyncio.sleep(0)  # so that all of them are told

    def _protocol(self) -> PatientProtocol:
        return self._made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop."""
        self._stopping.set()
        super().handle_exit(sig, frame)


def accepted(listening: Sequence[socket.socket]) -> Iterator[socket.socket]:
    """The connections to sockets that wait to be accepted."""
    for each in listening:
        with suppress(OSError):  # none is left, or the system has no more files
            while True:
                connection, _ = each.accept()
                yield connection


def _protocol(counting: Metrics) -> type[PatientProtocol]:
    class Counted(PatientProtocol):
        metrics = counting

    return Counted


def _config(served: Service, protocol: type[PatientProtocol]) -> uvicorn.Config:
    return uvicorn.Config(
        app(served),
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # ours has fewer words and no text of the client's
        proxy_headers=False,
        server_header=False,
        workers=1,  # not what WEB_CONCURRENCY says: one engine uses all cores
        limit_concurrency=served.limits.connections + 1,  # it counts the one that asks, too
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=served.limits.grace,
        backlog=BACKLOG,
    )


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets at all addresses of the host, IPv4 first and all at one port.

    They do not listen yet: requests are refused until there is an engine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise UserError(f"--host {host}: no such address ({error}); try 127.0.0.1") from None
    bound: list[socket.socket] = []
    addresses = dict.fromkeys((family, address) for family, _, _, _, address in found)
    for family, address in sorted(addresses, key=lambda each: each[0] != socket.AF_INET):
        try:
            bound.append(_bind(family, address, bound[0].getsockname()[1] if bound else port))
        except OSError as error:
            if bound and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                continue  # the name has an IPv6 address; the machine, as many containers, has none
            for each in bound:
                each.close()
            raise _cannot(host, port, error) from None
    return bound


def _bind(family: int, address: tuple[Any, ...], port: int) -> socket.socket:
    host, _, *rest = address  # of IPv6 more than a port follows
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port, *rest))
    except OSError:
        made.close()
        raise
    return made


def _cannot(host: str, port: int, error: OSError) -> UserError:
    if error.errno == errno.EADDRINUSE:
        return UserError(
            f"port {port} of {host} is in use; choose another with --port, or 0 for any"
        )
    return UserError(
        f"cannot listen at {host} port {port}: {error.strerror}; "
        "choose others with --host and --port"
    )


def url_of(bound: Sequence[socket.socket]) -> str:
    """Where the first of the sockets is asked."""
    host, port = bound[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(bound: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(bound.getsockname()[0]).is_loopback


def started_line(served: Service, url: str) -> str:
    """What is served, where, and within which limits."""
    limits, model = served.limits, served.model
    return (
        f"serving {model.network} ({model.precision}, {model.engine}) at {url}  "
        f"pid {os.getpid()}  batches of {limits.max_batch} within {1000 * limits.max_wait:g} ms, "
        f"queue of {limits.queue}, {limits.max_pictures} pictures and "
        f"{_amount(limits.max_bytes)} a request, {limits.timeout:g} s, "
        f"{'a token' if served.token else 'no token'}"
    )


def _amount(count: int) -> str:
    """Bytes in the largest unit of which there are whole ones: ``16 MiB``, ``200,000 bytes``."""
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if count % size == 0:
            return f"{count // size:,} {unit}"
    return f"{count:,} byte{'' if count == 1 else 's'}"


def _log_to_stderr(level: str) -> None:
    """Ours at the level asked for; of the libraries only errors, as any client can cause warnings.

    Each request that is not HTTP would be a line of uvicorn's, and quoted by the form's parser.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    LOG.setLevel(level.upper())
    for name in ("uvicorn.error", "python_multipart"):
        logging.getLogger(name).setLevel(logging.ERROR)
