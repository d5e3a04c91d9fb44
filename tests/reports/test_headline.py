import msgspec
import pytest

from convatlas.reports.headline import headline, title
from convatlas.training.card import Score
from convatlas.training.run import load_run


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def card(make_run):
    return load_run(make_run().path).card


def changed(card, **changes):
    return msgspec.structs.replace(card, **changes)


def named(card, name):
    return changed(card, data=msgspec.structs.replace(card.data, name=name))


def test_test_error_with_interval_and_counts(card):
    test = Score(count=10_000, errors=92, top5_errors=1)
    found = headline(changed(card, test=test)).result
    assert found.label == "test error"
    assert plain(found.error) == "0.92 %"
    assert plain(found.interval) == "0.75–1.13 %"
    assert found.counts == "92 wrong of 10,000"


def test_validation_error_stands_second(card):
    assert headline(card).second.label == "validation error"


def test_interrupted(card):
    found = headline(changed(card, status="interrupted", test=None, test_openings=(), step=7))
    assert found.result.label == "validation error"
    assert found.second is None
    assert "after step 7 of 14" in found.notes[0]
    assert "still sealed" in found.notes[0]
    assert "Date" not in dict(found.facts)


def test_interrupted_after_choosing_on_the_test_part(card):
    found = headline(changed(card, status="interrupted", test=None, selected_on="test"))
    assert found.result.label == "error on the test part"
    assert "sealed" not in found.notes[0]
    assert found.warnings


def test_no_warning_without_cause(card):
    assert (headline(card).warnings, headline(card).notes) == ((), ())


def test_nothing_measured(card):
    assert headline(changed(card, test=None, validation=None)).result is None


def test_a_folder_goes_by_its_last_name(card):
    assert headline(named(card, "folder:/home/me/my cats/")).data == "the folder “my cats”"
    assert title(named(card, "folder:.")) == "lenet-bn on the folder “.” – ConvAtlas"


def test_facts(card):
    facts = dict(headline(card).facts)
    assert facts["Recipe"] == "brief"
    assert facts["Date"] == "2026-01-02"
    assert "Top-5 error" not in facts
