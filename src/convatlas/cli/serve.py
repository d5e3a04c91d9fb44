"""``convatlas serve``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    bundle: Path
    host: str
    port: int
    token_file: Path | None
    engine: str
    threads: int | None
    max_batch: int
    max_wait: float
    queue: int
    timeout: float
    max_bytes: int
    max_pictures: int
    max_pixels: int
    limit_concurrency: int
    grace: int
    log_level: str


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
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Of the engine, and as many that decode [default: all cores that it may use].",
)
@click.option(
    "--max-batch", type=click.IntRange(1, 1024), default=16, show_default=True, metavar="PICTURES"
)
@click.option(
    "--max-wait",
    type=click.FloatRange(0, 1000),
    default=3.0,
    show_default=True,
    metavar="MS",
    help="That a picture waits for others which are being decoded.",
)
@click.option(
    "--queue",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    metavar="PICTURES",
    help="Accepted and not yet answered; more get 503.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Of a request, from its head to its answer.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=16 * 2**20,
    show_default=True,
    help="Of a request's body.",
)
@click.option("--max-pictures", type=click.IntRange(1), default=32, show_default=True)
@click.option("--max-pixels", type=click.IntRange(1), default=25_000_000, show_default=True)
@click.option(
    "--limit-concurrency",
    type=click.IntRange(2),
    default=512,
    show_default=True,
    metavar="CONNECTIONS",
)
@click.option(
    "--grace",
    type=click.IntRange(0),
    default=30,
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
    _serve(Arguments(**given))


def _serve(arguments: Arguments) -> None:
    from convatlas.runtime.extras import need

    for package in ("starlette", "uvicorn", "python_multipart", "prometheus_client"):
        need(package)
    from convatlas.runtime.opened import open_classifier, processors
    from convatlas.serving.limits import Limits
    from convatlas.serving.server import Address, serve

    limits = Limits(
        max_batch=arguments.max_batch,
        max_wait=arguments.max_wait / 1000,
        queue=arguments.queue,
        timeout=arguments.timeout,
        max_bytes=arguments.max_bytes,
        max_pictures=arguments.max_pictures,
        max_pixels=arguments.max_pixels,
        connections=arguments.limit_concurrency,
        grace=arguments.grace,
    )
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
        limits=limits,
        threads=arguments.threads or processors(),
        say=lambda line: click.echo(line),
    )
