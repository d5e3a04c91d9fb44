"""``convatlas serve``."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from convatlas.cli.threads import threads_option
from convatlas.serving.limits import Limits

LEVELS = ("debug", "info", "warning", "error")
LIMITS = Limits()  # as they are unless said otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given, but for the limits."""

    bundle: Path
    host: str
    port: int
    token_file: Path | None
    engine: str
    threads: int | None
    log_level: str


def _seconds(_context: click.Context, _option: click.Parameter, given: float) -> float:
    """Milliseconds as seconds."""
    return given / 1000


@click.command("serve")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for all machines.")
@click.option(
    *("--port",), type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Ask for the bearer token in this file [default: that in CONVATLAS_TOKEN, if set].",
)
@click.option(
    "--engine",
    default="onnxruntime",
    show_default=True,
    help="Or openvino, or auto: the faster one, measured once.",
)
@threads_option("Of the engine, and as many that decode [default: all cores that it may use]")
@click.option(
    "--max-batch",
    type=click.IntRange(1, 1024),
    default=LIMITS.max_batch,
    show_default=True,
    metavar="PICTURES",
)
@click.option(
    "--max-wait",
    type=float,
    default=1000 * LIMITS.max_wait,
    show_default=True,
    metavar="MS",
    callback=_seconds,
    help="That a picture waits for others which are being decoded.",
)
@click.option(
    "--queue",
    type=click.IntRange(1),
    default=LIMITS.queue,
    show_default=True,
    metavar="PICTURES",
    help="Accepted and not yet answered; more get 503.",
)
@click.option(
    "--timeout",
    type=float,
    default=LIMITS.timeout,
    show_default=True,
    metavar="SECONDS",
    help="Of a request, from its head to its answer.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=LIMITS.max_bytes,
    show_default=True,
    help="Of a request's body.",
)
@click.option(
    *("--max-pictures",), type=click.IntRange(1), default=LIMITS.max_pictures, show_default=True
)
@click.option(
    *("--max-pixels",), type=click.IntRange(1), default=LIMITS.max_pixels, show_default=True
)
@click.option(
    "--limit-concurrency",
    "connections",
    type=click.IntRange(1),
    default=LIMITS.connections,
    show_default=True,
    metavar="CONNECTIONS",
)
@click.option(
    "--grace",
    type=click.IntRange(0),
    default=LIMITS.grace,
    show_default=True,
    metavar="SECONDS",
    help="For what was accepted, once told to stop.",
)
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
def command(**given: Any) -> None:
    """Answer HTTP requests with the classes of pictures, from a BUNDLE and without torch.

    SIGTERM or Ctrl-C ends it: what was accepted is answered first. `convatlas export` makes a
    bundle.
    """
    limits = {field.name: given.pop(field.name) for field in fields(Limits)}
    _serve(Arguments(**given), limits)


def _serve(arguments: Arguments, limits: dict[str, Any]) -> None:
    from convatlas.runtime.extras import need

    for package in ("starlette", "uvicorn", "python_multipart", "prometheus_client"):
        need(package)
    from convatlas.runtime.opened import open_classifier
    from convatlas.runtime.threads import processors
    from convatlas.serving.server import Address, serve

    checked = Limits(**limits)
    engine = arguments.engine
    if engine == "auto":
        from convatlas.runtime.quickest import quickest

        engine = quickest(arguments.bundle, threads=arguments.threads)
    serve(
        lambda: open_classifier(arguments.bundle, threads=arguments.threads, engine=engine),
        engine=engine,
        address=Address(
            host=arguments.host,
            port=arguments.port,
            token_file=arguments.token_file,
            log_level=arguments.log_level,
        ),
        limits=checked,
        threads=arguments.threads or processors(),
        say=lambda line: click.echo(line),
    )
