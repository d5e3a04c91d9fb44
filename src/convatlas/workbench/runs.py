"""The use cases, shared by the command line and Python: each verb once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from convatlas.data.dataset import Dataset
from convatlas.errors import UserError
from convatlas.files import make_folder, remove_folder, write_atomically
from convatlas.training.check import Checked, check
from convatlas.training.close import Finished
from convatlas.training.interval import Mean, mean_over_seeds
from convatlas.training.loop import Silent, Watcher
from convatlas.training.prepare import Request
from convatlas.training.recipe import Recipe
from convatlas.training.recipes import recipe_for
from convatlas.training.run import RunFolder, load_run
from convatlas.training.train import resume as resume_run
from convatlas.training.train import train as train_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run may be told beside network, data, recipe and seed.

    ``size``: the side that the pictures of a folder are brought to. ``select_on_test``: make the
    training's choices on the test set, which its card and report then say.
    ``checkpoint_steps``: steps between checkpoints inside an epoch (otherwise every 30 seconds).
    """

    device: str = "auto"
    size: int | None = None
    select_on_test: bool = False
    checkpoint_steps: int | None = None
    report: bool = True


@dataclass(frozen=True, slots=True)
class Seeds:
    """Runs that differ in their seed alone, and the mean test error of the finished ones."""

    runs: tuple[Finished, ...]
    test_error: Mean | None  # None if not one was finished


def train(
    network: str,
    data: str | Dataset = "mnist",
    *,
    recipe: str | Recipe | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    options: Options = Options(),
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> Finished:
    """Train a network and leave a run folder with its report.

    ``data`` is a name, ``folder:PATH``, or a `Dataset` of your own.
    ``recipe`` is the name of a built-in recipe, a TOML file, a `Recipe`, or ``None`` for the
    network's usual one; ``out`` a new folder, by default one below ``runs/``. Raises `UserError`.
    """
    request = Request(
        network=network,
        data=data,
        recipe=recipe if isinstance(recipe, Recipe) else recipe_for(network, recipe),
        seed=seed,
        device=options.device,
        size=options.size,
        select_on_test=options.select_on_test,
    )
    folder = RunFolder(Path(out) if out else default_folder(network, data, seed))
    finished = train_run(request, folder, watcher, options.checkpoint_steps)
    if options.report:
        report(folder.path)
    return finished


def train_seeds(
    network: str,
    data: str | Dataset = "mnist",
    *,
    seeds: Sequence[int],
    recipe: str | Recipe | None = None,
    out: Path | str | None = None,
    options: Options = Options(),
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> Seeds:
    """Train once for each seed, in ``out/seed-N``, and put the mean in ``out/summary.json``.

    A run that is interrupted ends the series; the mean is over the finished ones.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise UserError(f"give different seeds, at least one; given {list(seeds)}")
    folder = Path(out) if out else default_folder(network, data, *seeds)
    made = make_folder(folder)
    runs: list[Finished] = []
    try:
        for seed in seeds:
            path = folder / f"seed-{seed}"
            finished = train(
                network, data, recipe=recipe, seed=seed, out=path, options=options, watcher=watcher
            )
            runs.append(finished)
            if finished.card.status != "finished":
                break
    finally:
        if not any(folder.iterdir()):
            remove_folder(folder, made)
    errors = [run.test.error for run in runs if run.test]
    result = Seeds(tuple(runs), mean_over_seeds(errors) if errors else None)
    write_atomically(folder / "summary.json", msgspec.json.encode(seeds_summary(result)))
    return result


def resume(
    path: Path | str,
    *,
    data: Dataset | None = None,
    options: Options = Options(),
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> Finished:
    """Go on with an unfinished run; on a CPU the result is bit for bit the undisturbed one.

    ``data`` is needed only for a run on a `Dataset` of your own.
    """
    finished = resume_run(RunFolder(Path(path)), watcher, options.checkpoint_steps, data)
    if options.report:
        report(path)
    return finished


def evaluate(
    path: Path | str, *, part: str = "test", device: str = "auto", data: Dataset | None = None
) -> Checked:
    """Evaluate a run's network on a part of its data.

    Opening the test part goes on the card, and the report is drawn again to say so.
    """
    checked = check(load_run(Path(path)), part, device=device, data=data)
    if part == "test":
        report(path)
    return checked


def report(path: Path | str) -> Path:
    """Draw a run's report again; returns its path. No data set is read."""
    # Drawing brings matplotlib with it; a run shows its result before that is imported.
    from convatlas.reports import write_report

    return write_report(RunFolder(Path(path)))


def seeds_summary(result: Seeds) -> dict[str, object]:
    """The series in plain values, errors as shares."""
    return {
        "network": result.runs[0].card.network.name,
        "data": result.runs[0].card.data.name,
        "recipe": result.runs[0].card.recipe.name,
        "test_error_mean": result.test_error.mean if result.test_error else None,
        "test_error_half_width_95": result.test_error.half_width if result.test_error else None,
        "runs": [
            {
                "seed": run.card.seed,
                "status": run.card.status,
                "test_error": run.test.error if run.test else None,
                "seconds": run.card.seconds,
                "path": str(run.folder.path),
            }
            for run in result.runs
        ],
    }


def default_folder(network: str, data: str | Dataset, *seeds: int) -> Path:
    """A new folder below ``runs/`` named after what is trained and when."""
    name = data if isinstance(data, str) else data.name
    source = name.removeprefix("folder:").rstrip("/").rsplit("/", 1)[-1] or "pictures"
    which = "-".join(str(seed) for seed in seeds[:3])
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{network}-{source}-seed{which}-{now}"
