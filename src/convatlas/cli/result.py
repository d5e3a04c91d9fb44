"""The closing lines of a training run."""

from convatlas.training.card import Card
from convatlas.training.close import Finished
from convatlas.training.evaluate import Evaluation, confusions
from convatlas.training.interval import wilson

CONFUSIONS = 5
SHOWN = 20  # files left out


def closing_lines(finished: Finished) -> list[str]:
    """Error with its interval, seconds, worst confusions, and what was left out."""
    card = finished.card
    lines = [f"{card.network.name} on {card.data.name}, recipe {card.recipe.name}, {card.device}"]
    chosen_on_test = card.selected_on == "test"
    if finished.validation and not (chosen_on_test and finished.test):
        part = "test" if chosen_on_test else "validation"
        lines.append(error_line(part, finished.validation))
    if finished.test:
        lines.append(error_line("test", finished.test))
        lines.append(confusion_line(finished.test, card.classes))
    elif not chosen_on_test:
        lines.append(f"test        not opened: stopped at step {card.step} of {card.steps}")
    if chosen_on_test:
        lines.append("warning     choices were made on the test set: its error is too good")
    lines.append(f"training    {card.seconds:.1f} s for {card.step:,} steps")
    return lines + left_out_lines(card)


def left_out_lines(card: Card) -> list[str]:
    """The files of the data set that could not be used, by name, up to a screenful."""
    files = (*card.data.rejected, *card.data.rejected_test)
    if not files:
        return []
    shown = [f"            {file}" for file in files[:SHOWN]]
    more = [f"            and {len(files) - SHOWN:,} more, all on the card and in the report"]
    return [f"left out    {len(files):,} files:", *shown, *(more if len(files) > SHOWN else [])]


def error_line(part: str, evaluation: Evaluation) -> str:
    """``test  0.92 % wrong (92 of 10,000; 95 % interval 0.75 to 1.13 %)``."""
    low, high = wilson(evaluation.errors, evaluation.count)
    return (
        f"{part:<11} {evaluation.error:.2%} wrong ({evaluation.errors:,} of {evaluation.count:,}; "
        f"95 % interval {low:.2%} to {high:.2%})"
    )


def confusion_line(evaluation: Evaluation, classes: tuple[str, ...]) -> str:
    """The commonest mistakes, ``4 as 9 (11 times)``."""
    worst = confusions(evaluation, CONFUSIONS)
    listed = ", ".join(f"{classes[t]} as {classes[p]} ({count})" for t, p, count in worst)
    return f"confusions  {listed or 'none'}"
