"""Which pictures were used for what, and every opening of the test part."""

from collections.abc import Sequence

from convatlas.report.numbers import counted, setting, whole
from convatlas.training.card import Card
from convatlas.training.state import EpochRecord

TIMES = {0: "never", 1: "once", 2: "twice"}


def protocol(card: Card, history: Sequence[EpochRecord]) -> str:
    """The whole of it in one sentence."""
    return f"{_trained_on(history)}; {_chosen_on(card)}; {_opened(card)}."


def _trained_on(history: Sequence[EpochRecord]) -> str:
    if not history:
        return "No epoch was finished"
    # The card does not count the training pictures; an epoch's speed times its length does.
    pictures = round(history[-1].images_per_second * history[-1].seconds)
    return f"{counted(pictures, 'picture')} were trained on"


def _chosen_on(card: Card) -> str:
    if card.selected_on == "test":
        return "no validation part was kept apart, and choices were made on the test part"
    if card.selected_on != "validation" or card.validation is None:
        return "no validation part was kept apart, and nothing was chosen by looking at results"
    share = setting(card.recipe.validation)
    return (
        f"every choice was made on {whole(card.validation.count)} more, {share} of each class of "
        f"the training set (seed {card.data.split_seed}), and pre-processing was fitted without "
        "them"
    )


def _opened(card: Card) -> str:
    openings = len(card.test_openings)
    times = TIMES.get(openings, f"{openings} times")
    if not openings:
        return "the sealed test part was never opened"
    held = f" of {counted(card.test.count, 'picture')}" if card.test else ""
    return f"the test part{held} was opened {times}"
