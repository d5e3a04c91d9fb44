"""The closing lines of a training run."""

from convatlas.training.evaluate import Evaluation, confusions
from convatlas.training.interval import wilson
from convatlas.training.train import Finished

CONFUSIONS = 5


def closing_lines(finished: Finished) -> list[str]:
    """Error with its interval, seconds, worst confusions, and what was looked at."""
    card = finished.card
    lines = [f"{card.network.name} on {card.data.name}, recipe {card.recipe.name}, {card.device}"]
    if finished.validation:
        lines.append(error_line("validation", finished.validation))
    if finished.test:
        lines.append(error_line("test", finished.test))
        lines.append(confusion_line(finished.test, card.classes))
    else:
        lines.append(f"test        still sealed: stopped at step {card.step} of {card.steps}")
    if card.selected_on == "test":
        lines.append("warning     choices were made on the test set: its error is too good")
    lines.append(f"training    {card.seconds:.1f} s for {card.step:,} steps")
    return lines


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
