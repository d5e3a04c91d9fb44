import io
import sys

import pytest

from convatlas.cli.now import Now


class Terminal(io.StringIO):
    """What is written to it, as to a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_every_step_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Now(quiet=True) as now:
        now("", "importing torch")
        now("net, batch 1", "building [eager]")
    shown = screen.getvalue()
    assert "importing torch" in shown
    assert "net, batch 1: building [eager]" in shown  # as it is, without markup
    assert shown.endswith("\x1b[2K")  # the line is taken away


def test_elsewhere_there_is_a_line_for_all_that_is_done_about_one_thing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Now() as now:
        for about, doing in (("", "a"), ("net", "b"), ("net", "c"), ("other", "d")):
            now(about, doing)
    assert capsys.readouterr() == ("", "net ...\nother ...\n")
    with Now(quiet=True) as now:
        now("net", "b")
    assert capsys.readouterr() == ("", "")
