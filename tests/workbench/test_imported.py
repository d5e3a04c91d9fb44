"""Networks named by place, and one line for everything that goes wrong."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pasted import paste
from torch import nn

from convatlas.errors import UserError
from convatlas.workbench.imported import imported

NUMBERS = itertools.count()
Find = Callable[[str], Any]


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Find]:
    """Import from a package of the working directory."""
    name = f"nets{next(NUMBERS)}"
    paste(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield lambda place: imported(place.replace("nets", name, 1))
    assert sys.path == before


@pytest.mark.parametrize("name", ["Net", "instance", "factory", "wide", "Space.net"])
def test_what_can_stand_there(find: Find, name: str) -> None:
    assert isinstance(find(f"nets.good:{name}"), nn.Module)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("nets.none:x", r"there is no module 'nets\d+.none' that can be imported from .*; write"),
        ("absent.other:x", "there is no module 'absent.other' that can be imported from "),
        ("nets.good:net", r"nets\d+.good has no 'net'; did you mean 'Net'.*; write package.module"),
        ("nets.good:Space.nett", r"nets\d+.good.Space has no 'nett'; did you mean 'net'\?; write "),
        ("nets.good:", "is no place of a network; write package.module:name"),
        (":Net", "is no place of a network"),
        ("nets/good.py:Net", "is no place of a network"),
        ("nets.good:Net()", "is no place of a network"),
        (
            "nets.broken:x",
            r"the module nets\d+.broken fails with RuntimeError: boom at import \(.*broken.py, "
            r"line 2\)",
        ),
        (
            "nets.wanting:x",
            r"fails with ModuleNotFoundError: No module named 'nowhere_to_be_found' "
            r"\(.*wanting.py, line 1\)",
        ),
        ("nets.wrong:x", r"fails with SyntaxError: .* \(.*wrong.py, line 1\)"),
        ("nets.good:Needs", r"nets\d+.good:Needs needs arguments \(width, kernel\); write a func"),
        ("nets.good:gone", r"good:gone fails with KeyError: 'gone' \(.*good.py, line \d+\)"),
        ("nets.good:inside", r"fails with ValueError: .*groups.* \(.*good.py, line \d+\)"),
        ("nets.good:quits", r"good:quits fails with SystemExit: 7 \(.*good.py, line \d+\)"),
    ],
)
def test_one_line_for_what_goes_wrong(find: Find, place: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        find(place)
    assert "\n" not in str(caught.value)


def test_the_cause_hangs_on_the_error(find: Find) -> None:
    with pytest.raises(UserError) as caught:
        find("nets.good:gone")
    assert isinstance(caught.value.__cause__, KeyError)
