"""What ``train`` and ``resume`` show; the module that imports torch for them."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from convatlas.cli.progress import Progress
from convatlas.cli.result import closing_lines, error_line
from convatlas.cli.train import Arguments
from convatlas.data.idx_pair import Pair
from convatlas.data.idx_sets import mnist
from convatlas.training.close import Finished
from convatlas.training.loop import Silent, Watcher
from convatlas.training.recipe import Recipe
from convatlas.workbench import runs

STOPPED = 130  # the exit status of a command ended by Ctrl-C


def train_and_show(arguments: Arguments, recipe: Recipe, ahead: Future[Pair] | None) -> None:
    """Train with one seed or several, showing progress and the result.

    ``ahead`` is MNIST's training part, being read already.
    """
    options = runs.Options(
        device=arguments.device,
        size=arguments.size,
        select_on_test=arguments.select_on_test,
        checkpoint_steps=arguments.checkpoint_every,
        report=False,  # drawn once the result is on the screen
    )
    if arguments.seeds:
        _train_seeds(arguments, recipe, options)
        return
    data = mnist(ahead.result()) if ahead else arguments.data
    with _watcher(arguments.as_json) as watcher:
        finished = runs.train(
            arguments.network,
            data,
            recipe=recipe,
            seed=arguments.seed,
            out=arguments.out,
            options=options,
            watcher=watcher,
        )
    show(finished, as_json=arguments.as_json)


def resume_and_show(path: Path, checkpoint_every: int | None, *, as_json: bool) -> None:
    """Go on with a run, showing the same."""
    options = runs.Options(checkpoint_steps=checkpoint_every, report=False)
    with _watcher(as_json) as watcher:
        finished = runs.resume(path, options=options, watcher=watcher)
    show(finished, as_json=as_json)


def show(finished: Finished, *, as_json: bool) -> None:
    """The result, then the report; exit status 130 if the run was interrupted."""
    if not as_json:
        click.echo("\n".join(closing_lines(finished)))
    report = runs.report(finished.folder.path)
    click.echo(
        msgspec.json.format(msgspec.json.encode(finished.card), indent=1).decode()
        if as_json
        else f"report  {report}"
    )
    _end_if_stopped(finished)


def _train_seeds(arguments: Arguments, recipe: Recipe, options: runs.Options) -> None:
    seeds = range(arguments.seed, arguments.seed + (arguments.seeds or 1))
    with _watcher(arguments.as_json) as watcher:
        result = runs.train_seeds(
            arguments.network,
            arguments.data,
            seeds=seeds,
            recipe=recipe,
            out=arguments.out,
            options=dataclasses.replace(options, report=True),
            watcher=watcher,
        )
    summary = runs.seeds_summary(result)
    if arguments.as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(summary), indent=1).decode())
    else:
        _show_seeds(result)
    _end_if_stopped(result.runs[-1])


def _show_seeds(result: runs.Seeds) -> None:
    for run in result.runs:
        if run.test:
            click.echo(error_line(f"seed {run.card.seed}", run.test))
    folder = result.runs[0].folder.path.parent
    if mean := result.test_error:
        finished = sum(run.test is not None for run in result.runs)
        width = f" ± {mean.half_width:.3%} (95 %, Student's t)" if finished > 1 else ""
        click.echo(f"mean test error {mean.mean:.3%}{width} over {finished} seeds")
    click.echo(f"runs    {folder}")


def _end_if_stopped(finished: Finished) -> None:
    """Exit status 130 with the way on, if the run was interrupted."""
    if finished.card.status == "interrupted":
        click.echo(f"stopped; go on with: convatlas resume {finished.folder.path}", err=True)
        raise SystemExit(STOPPED)


@contextmanager
def _watcher(as_json: bool) -> Iterator[Watcher]:
    """A live display, or silence when JSON is wanted."""
    if as_json:
        yield Silent()
        return
    with Progress() as progress:
        yield progress
