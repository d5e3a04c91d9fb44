"""Which pictures were used for what, in one sentence."""

from convatlas.reports.numbers import counted, setting, whole
from convatlas.training.card import Card

TIMES = {1: "once", 2: "twice"}


def protocol(card: Card) -> str:
    """What was trained on, what choices were made on, how often the test part was opened."""
    trained = f"{counted(card.data.training, 'picture')} were trained on"
    return f"{trained}; {_chosen_on(card)}; {_opened(card)}."


def _chosen_on(card: Card) -> str:
    if card.selected_on == "test":
        return "no validation part was kept apart, and choices were made on the test part"
    if card.selected_on == "nothing":
        return "no validation part was kept apart, so nothing was chosen by looking at results"
    share = setting(card.recipe.validation)
    return (
        f"every choice was made on {whole(card.data.validation)} more, {share} of each class of "
        f"the training set (seed {card.data.split_seed}), and pre-processing was fitted without "
        "them"
    )


def _opened(card: Card) -> str:
    openings = len(card.test_openings)
    if not openings:
        return "the sealed test part was never opened"
    held = f" of {counted(card.test.count, 'picture')}" if card.test else ""
    return f"the test part{held} was opened {TIMES.get(openings, f'{openings} times')}"
