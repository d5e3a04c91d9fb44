"""The result in one line, and what it rests on."""

from dataclasses import dataclass
from pathlib import PurePath

from convatlas.reports.numbers import DASH, counted, duration, percent, percent_range, whole
from convatlas.training.card import Card, Score
from convatlas.training.interval import wilson

FOLDER = "folder:"


@dataclass(frozen=True, slots=True)
class Result:
    """An error as printed, with its interval and its counts."""

    label: str
    error: str
    interval: str
    counts: str


@dataclass(frozen=True, slots=True)
class Headline:
    """``warnings`` stand above the result; ``result`` is missing if nothing was evaluated."""

    network: str
    data: str
    result: Result | None
    second: Result | None
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def headline(card: Card) -> Headline:
    """The test error first; the validation error alone while the test part is sealed."""
    test = result("test error", card.test) if card.test else None
    chosen_on = "validation error" if card.selected_on != "test" else "error on the test part"
    validation = result(chosen_on, card.validation) if card.validation else None
    return Headline(
        network=card.network.name,
        data=_data(card.data.name),
        result=test or validation,
        second=validation if test and card.selected_on != "test" else None,
        facts=_facts(card),
        warnings=_warnings(card),
        notes=_notes(card),
    )


def result(label: str, score: Score) -> Result:
    """With Wilson's interval."""
    low, high = wilson(score.errors, score.count)
    return Result(
        label=label,
        error=percent(score.error, score.count),
        interval=percent_range(low, high, score.count),
        counts=f"{whole(score.errors)} wrong of {whole(score.count)}",
    )


def _data(name: str) -> str:
    """A folder by its last name; the card keeps the whole path."""
    if not name.startswith(FOLDER):
        return name
    path = name.removeprefix(FOLDER)
    return f"the folder “{PurePath(path).name or path}”"


def _facts(card: Card) -> tuple[tuple[str, str], ...]:
    facts = [("Recipe", card.recipe.name), ("Trained in", duration(card.seconds))]
    if card.status == "finished":
        facts += [("Length", counted(card.recipe.epochs, "epoch"))]
    facts += [("Seed", str(card.seed)), ("Status", card.status)]
    if card.test_openings:
        facts += [("Date", card.test_openings[0].when[:10])]
    if card.test and card.network.num_classes > 10:
        top5 = percent(card.test.top5_errors / card.test.count, card.test.count)
        facts += [("Top-5 error", top5)]
    return tuple(facts)


def _warnings(card: Card) -> tuple[str, ...]:
    if card.selected_on != "test":
        return ()
    return (
        "Choices of this run were made on the test part. Its test error is therefore too low, "
        "and may not be compared with errors measured on pictures kept apart.",
    )


def _notes(card: Card) -> tuple[str, ...]:
    if card.status == "finished":
        return ()
    sealed = "" if card.test_openings else " The test part is still sealed."
    place = f"step {whole(card.step)} of {whole(card.steps)}"
    said = {
        "interrupted": f"This run was interrupted after {place} and can be resumed.",
        "diverged": f"This run diverged; the weights are those of its last checkpoint, {place}.",
        "untested": "This run was trained, but its test part could not be read; resume it.",
    }
    return (f"{said[card.status]}{sealed}",)


def title(card: Card) -> str:
    """For the tab of a browser."""
    return f"{card.network.name} on {_data(card.data.name)} {DASH} ConvAtlas"
