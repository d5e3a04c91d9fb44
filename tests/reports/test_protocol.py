import msgspec
import pytest

from convatlas.reports.protocol import protocol
from convatlas.training.run import load_run


def sentence(card, **changes):
    return protocol(msgspec.structs.replace(card, **changes)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def card(make_run):
    return load_run(make_run().path).card


def test_the_usual_protocol(card):
    text = sentence(card)
    assert text.startswith(f"{card.data.training} pictures were trained on; every choice")
    assert f"made on {card.data.validation} more, 10 % of each class" in text
    assert text.endswith("the test part of 300 pictures was opened once.")


@pytest.mark.parametrize(("times", "word"), [(2, "twice"), (3, "3 times")])
def test_openings_are_counted(card, times, word):
    assert f"opened {word}." in sentence(card, test_openings=card.test_openings * times)


def test_sealed(card):
    text = sentence(card, test=None, test_openings=())
    assert text.endswith("the sealed test part was never opened.")


def test_choices_on_the_test_part(card):
    assert "choices were made on the test part" in sentence(card, selected_on="test")


def test_no_choices(card):
    assert "nothing was chosen" in sentence(card, selected_on="nothing")
