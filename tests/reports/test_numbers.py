import pytest

from convatlas.reports.numbers import counted, duration, figure, percent, percent_range, setting


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_percent_has_decimals_that_the_count_bears():
    assert plain(percent(92 / 10_000, 10_000)) == "0.92 %"
    assert plain(percent(1 / 3, 30)) == "33.3 %"


def test_range_names_the_unit_once():
    assert plain(percent_range(0.0075, 0.0113, 10_000)) == "0.75–1.13 %"


def test_setting_has_no_decimals_to_spare():
    assert plain(setting(0.1)) == "10 %"
    assert plain(setting(0.125)) == "12.5 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.83, "4.8 s"),
        (119.94, "119.9 s"),
        (119.99, "2 min 0 s"),
        (135, "2 min 15 s"),
        (7380, "2 h 3 min"),
    ],
)
def test_duration(seconds, text):
    assert plain(duration(seconds)) == text


def test_counted():
    assert [plain(counted(n, "picture")) for n in (1, 2000)] == ["1 picture", "2,000 pictures"]


def test_figure():
    assert figure(0.64321) == "0.643"
