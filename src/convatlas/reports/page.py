"""Gathers the sections of a run's page and writes it."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from convatlas.files import write_atomically
from convatlas.reports.classes import SHOWN, class_rows
from convatlas.reports.confusion import commonest, confusion
from convatlas.reports.costs import costs
from convatlas.reports.curves import curves
from convatlas.reports.headline import headline, title
from convatlas.reports.inside import filters, maps
from convatlas.reports.numbers import duration, percent, whole
from convatlas.reports.protocol import protocol
from convatlas.reports.provenance import machine_rows, recipe_groups
from convatlas.reports.worst import worst_pictures
from convatlas.training.archive import Archive, load_archive
from convatlas.training.card import Card
from convatlas.training.recipe import to_toml
from convatlas.training.run import RunFolder, Trained, load_run, read_metrics
from convatlas.training.state import EpochRecord


def write_report(folder: RunFolder) -> Path:
    """Draw a run's page from its folder alone; returns where it is.

    The same folder gives the same bytes. Raises `UserError` for a folder that is no run.
    """
    run = load_run(folder.path)
    found = folder.evaluation.exists()
    kept = load_archive(folder.evaluation, run.card.weights_sha256) if found else None
    write_atomically(folder.report, render(run, read_metrics(folder), kept))
    return folder.report


def render(run: Trained, history: list[EpochRecord], kept: Archive | None) -> str:
    """The page as text."""
    templates = Environment(
        loader=PackageLoader("convatlas.reports"),
        autoescape=True,  # names of classes and paths are the user's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(whole=whole, duration=duration, percent=percent)
    sections = _from_card(run, history) | _from_evaluation(run, kept)
    return templates.get_template("page.html.jinja").render(sections)


def _from_card(run: Trained, history: list[EpochRecord]) -> dict[str, object]:
    card = run.card
    evaluated_on = "test" if card.selected_on == "test" else "validation"
    return {
        "title": title(card),
        "card": card,
        "headline": headline(card),
        "protocol": protocol(card),
        "history": history,
        "evaluated_on": evaluated_on,
        "curves": curves(history, evaluated_on),
        "filters": filters(run.model),
        "costs": costs(run.model, card.network),
        "recipe_groups": recipe_groups(card.recipe),
        "recipe_toml": to_toml(card.recipe),
        "machine": machine_rows(card),
    }


def _from_evaluation(run: Trained, kept: Archive | None) -> dict[str, object]:
    """The sections that show pictures and scores; without those, why they are missing."""
    if kept is None:
        return {"part": None, "missing": _why_missing(run.card)}
    classes, evaluation = run.card.classes, kept.evaluation
    return {
        "part": "test" if run.card.selected_on == "test" else kept.part,
        "evaluated": evaluation,
        "confusion": confusion(evaluation, classes),
        "commonest": commonest(evaluation, classes),
        "class_rows": class_rows(evaluation, classes),
        "rows_shown": SHOWN,
        "worst": worst_pictures(kept, classes),
        "maps": maps(run.model, run.preprocess, kept.sample, run.card.recipe.crop),
        "sample_true": classes[int(evaluation.labels[0])],
        "sample_predicted": classes[int(evaluation.predicted[0])],
    }


def _why_missing(card: Card) -> str:
    if card.status != "finished" and card.validation is None:
        return (
            "The run was interrupted before the test part was opened, and it has no validation "
            "part, so there are no results to show yet."
        )
    return "The run folder no longer holds evaluation.safetensors, where results are kept."
