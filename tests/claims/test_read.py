from decimal import Decimal
from pathlib import Path

import pytest

from convatlas.claims.claim import Paper
from convatlas.claims.read import read_paper
from convatlas.errors import UserError

HEAD = 'title = "A paper"\n\n[sources]\nmade = "Made up, 1998"\nother = "Somebody else"\n'
CLAIM = """
[[claim]]
id = "a.params"
network = "lenet5"
what = "parameters"
printed = 60000
unit = "parameters"
place = "section 2"
provenance = "paper"
measure = { parameters = "lenet5" }
verdict = "holds"
"""
TRAINED = """
[[claim]]
id = "a.error"
what = "error"
printed = 0.80
unit = "% error"
source = "other"
place = "Table 1"
provenance = "unchecked"
verdict = "needs training"
"""


def read(folder: Path, text: str) -> Paper:
    """A file with this text."""
    path = folder / "made.toml"
    path.write_text(text, encoding="utf-8")
    return read_paper(path)


def test_a_file(tmp_path: Path) -> None:
    says = '\n[[contradiction]]\nsays = "It says two things."\nclaims = ["a.params"]\n'
    paper = read(tmp_path, HEAD + says + CLAIM + TRAINED)
    assert (paper.name, paper.title, paper.own) == ("made", "A paper", "made")
    assert paper.contradictions[0].claims == ("a.params",)
    params, error = paper.claims
    assert (params.source, params.verdict, params.why) == ("made", "holds", "")
    assert (error.source, error.measure, str(error.printed)) == ("other", None, "0.80")


def test_lists_and_reasons(tmp_path: Path) -> None:
    text = CLAIM.replace("60000", "[[1, 2.50], [3, 4]]").replace(
        'verdict = "holds"', 'verdict = "differs: it does: not"\ncounted = 60000\nhalf = 0.5'
    )
    claim = read(tmp_path, HEAD + text).claims[0]
    assert claim.printed == ((1, Decimal("2.50")), (3, 4))
    assert (claim.why, claim.counted, claim.half) == ("it does: not", 60_000, Decimal("0.5"))
    assert claim.full_verdict == "differs: it does: not"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "A paper"', "", "made.toml: the file lacks title"),
        (
            "[sources]",
            "[source]",
            "made.toml: the file has no key 'source'; did you mean 'sources'",
        ),
        ("printed = 60000", "", "made.toml: claim a.params lacks printed"),
        ("printed", "prinetd", "claim a.params has no key 'prinetd'; did you mean 'printed'"),
        ('place = "section 2"', "place = 2", "claim a.params: place is text, given 2"),
        ('"paper"\nmea', '"hearsay"\nmea', "provenance is one of paper, second-hand, .*'hearsay'"),
        ('"holds"', '"fine"', "claim a.params: verdict is one of holds, .* given 'fine'"),
        ('"holds"', '"needs training"', "'needs training'; holds, .* need a measure"),
        ('"holds"', '"holds (rounded)"', "counted stands where the verdict is 'holds .rounded"),
        ('"holds"', '"holds"\ncounted = 3', "counted stands where the verdict"),
        ('"holds"', '"differs"\ncounted = 3', "write 'differs' and 'not computable' with ': ' and"),
        ('"holds"', '"holds: why not"', "write 'differs' and 'not computable'"),
        ('"holds"', '"holds"\nreading = "so"', "reading is one of right, imprecise, wrong"),
        ('"holds"', '"holds"\nsource = "x"', "source is one of made, other, given 'x'"),
        (
            '{ parameters = "lenet5" }',
            '{ parametres = "lenet5" }',
            "claim a.params: a measure names",
        ),
        ('"a.params"', "a.params", "made.toml: Invalid value"),
        (
            "[[claim]]",
            '[[contradiction]]\nsays = "x"\nclaims = ["a.param"]\n[[claim]]',
            "'a.params'",
        ),
        ("[[claim]]", "[[contradiction]]\nclaims = []\n[[claim]]", "a contradiction lacks says"),
    ],
)
def test_errors_name_file_claim_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = HEAD + CLAIM
    assert old in text
    with pytest.raises(UserError, match=says):
        read(tmp_path, text.replace(old, new))


def test_an_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"made.toml: the id 'a.params' is given twice"):
        read(tmp_path, HEAD + CLAIM + CLAIM)
