"""``convatlas predict``."""

import os
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from convatlas.cli.now import Now
from convatlas.cli.output import form_option
from convatlas.cli.threads import threads_option
from convatlas.errors import UserError
from convatlas.runtime.sources import STDIN

if TYPE_CHECKING:
    from convatlas.cli.predict_output import Writer
    from convatlas.cli.predict_progress import Progress
    from convatlas.runtime.predictions import Prediction
    from convatlas.runtime.sources import PassedOver
    from convatlas.workbench.predict import Amount, Computing

CLOSED_PIPE = 141  # as a shell says of a program that writing to a closed pipe ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    network: str
    images: tuple[str, ...]
    top: int
    batch: int | None
    threads: int | None
    engine: str | None
    invert: bool
    form: str | None


@dataclass(slots=True)
class Count:
    """Of the pictures so far."""

    done: int = 0
    failed: int = 0


@click.command("predict")
@click.argument("network", metavar="BUNDLE-or-RUN")
@click.argument("images", nargs=-1, required=True, metavar="IMAGES... | FOLDER | 'GLOB' | -")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="Classes shown.")
@click.option(
    "--batch",
    type=click.IntRange(1),
    help="Pictures at once. By default 1 for up to 8 files and for -, so that each is answered "
    "at once; 32 for more, a folder or a pattern.",
)
@threads_option("By default one for each processor")
@click.option(
    "--engine",
    help="onnxruntime (for a bundle by default), openvino, or auto: the fastest, measured once. A "
    "run is computed by torch; it takes any engine of `convatlas bench` too.",
)
@click.option("--invert", is_flag=True, help="Turn dark ink on light paper into light on dark.")
@form_option("json", "An array with one object a line.")
@form_option("csv", "A row for each picture.")
def command(**given: Any) -> None:
    """Classify picture files of any size and mode, with a bundle (no torch) or a run folder.

    FOLDER stands for all pictures below it, a quoted 'GLOB' such as 'pics/**/*.jpg' for those that
    fit it, and - for the files whose names come on standard input, one a line or separated by NUL.
    Below a folder and in a pattern a picture is a file whose name ends in .jpg, .jpeg, .png, .webp
    or .bmp. Results are printed as they come, in the order of the files.

    Files that cannot be read are named with the reason on standard error, the others are done; the
    exit status is then 2.
    """
    arguments = Arguments(**given)
    if arguments.images.count(STDIN) > 1:
        raise UserError("standard input can be read once; give - once")
    if (
        STDIN in arguments.images and sys.stdin is None
    ):  # so Python says that it was started without
        raise UserError("standard input is closed; write the names of files to it, or give them")
    from convatlas.workbench.predict import Computing, amount_of, keep, settled

    path = Path(arguments.network)
    asked = Computing(engine=arguments.engine, threads=arguments.threads, batch=arguments.batch)
    amount = amount_of(
        [each for each in arguments.images if each != STDIN], STDIN in arguments.images
    )
    with _now(arguments) as now:
        computing = settled(path, asked, amount, partial(now, _choosing(arguments)))
    try:
        count = _predict(arguments, amount, computing)
    except BrokenPipeError:  # as by `| head`; nothing more is to be written, not at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.buffer.fileno())
        raise SystemExit(CLOSED_PIPE) from None
    with suppress(KeyboardInterrupt):  # all was printed
        keep(path, computing)
    if count.failed:
        raise SystemExit(2)


def _predict(arguments: Arguments, amount: "Amount", computing: "Computing") -> Count:
    """Open the network, and print what it makes of each picture."""
    from convatlas.runtime.predictions import predictions, without_network
    from convatlas.runtime.sources import PassedOver, sources
    from convatlas.workbench.predict import drawn, open_network, way_of

    path, passed = Path(arguments.network), PassedOver()
    # torch is not imported for nothing; how many columns a CSV has, only the network says
    if os.path.isdir(path) and arguments.form != "csv":
        answers = without_network(arguments.images)
        if answers is not None:
            return _print(answers, arguments, amount, passed, arguments.top)
    with _now(arguments) as now:
        classifier = open_network(path, computing, amount, partial(now, _choosing(arguments)))
    if said := drawn(classifier):
        click.echo(f"warning: {path} was never trained; its weights are {said}", err=True)
    way = way_of(classifier, computing, amount, top=arguments.top, invert=arguments.invert)
    most = min(way.top, len(classifier.card.labels) or way.top)
    found = sources(arguments.images, passed, _read_stdin)
    with closing(predictions(classifier, found, way)) as made:
        return _print(made, arguments, amount, passed, most)


def _print(
    made: Iterable["Prediction"],
    arguments: Arguments,
    amount: "Amount",
    passed: "PassedOver",
    most: int,
) -> Count:
    """Each as it comes, and a line about all of them."""
    from convatlas.cli.predict_output import writer

    count, started = Count(), time.perf_counter()
    out = writer(arguments.form, sys.stdout.buffer, most)
    with _progress(arguments, amount) as bar:

        def end() -> None:
            out.end()
            if count.done + count.failed > 1:
                bar.say(_summary(count, passed, time.perf_counter() - started))

        try:
            _show(made, out, bar, count)
        except BrokenPipeError:
            raise
        except BaseException:  # what was begun is ended also when it is broken off
            end()
            raise
        end()
    return count


def _now(arguments: Arguments) -> Now:
    """What is done while the fastest engine is found, which may take a minute."""
    return Now(quiet=arguments.form is not None)


def _choosing(arguments: Arguments) -> str:
    return f"{arguments.network}, engine {arguments.engine}"


def _show(made: Iterable["Prediction"], out: "Writer", progress: "Progress", count: Count) -> None:
    """Write each as it comes."""
    from convatlas.cli.predict_output import escaped

    for prediction in made:
        if prediction.error:
            count.failed += 1
            progress.say(f"error: {escaped(prediction.path)}: {prediction.error}")
        else:
            count.done += 1
        out.write(prediction)
        progress.step()


def _progress(arguments: Arguments, amount: "Amount") -> "Progress":
    """A bar for many pictures at a terminal, unless the results run over it themselves."""
    from convatlas.cli.predict_progress import Bar, Plain

    if amount == "few" or not sys.stderr.isatty() or sys.stdout.isatty():
        return Plain()
    named = all(os.path.isfile(image) for image in arguments.images)
    return Bar(len(arguments.images) if named else None)


def _summary(count: Count, passed: "PassedOver", seconds: float) -> str:
    files = "file" if passed.count == 1 else "files"
    others = f", {passed.count} other {files} passed over" if passed.count else ""
    total = count.done + count.failed
    return f"{count.done} done, {count.failed} failed{others}, {total / seconds:.1f} pictures/s"


def _read_stdin(most: int) -> bytes:
    """What there is, without waiting for more.

    Unbuffered, as the thread that reads may still wait when the program ends.
    """
    stream = sys.stdin.buffer
    raw: BinaryIO = getattr(stream, "raw", stream)
    return raw.read(most)
