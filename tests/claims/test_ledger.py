from collections import Counter

import pytest

from convatlas import atlas
from convatlas.claims.claim import MEASURED, Claim
from convatlas.claims.combined import Of
from convatlas.claims.ledger import names, paper, papers
from convatlas.claims.measure import Measure
from convatlas.errors import UserError

CLAIMS = [claim for paper in papers() for claim in paper.claims]


def test_all_papers_are_there() -> None:
    assert len(names()) == 22
    assert len(CLAIMS) == 1038
    assert max(Counter(claim.id for claim in CLAIMS).values()) == 1


def test_every_network_is_in_the_atlas() -> None:
    known = {entry.name for entry in atlas.entries()}
    for claim in CLAIMS:
        assert claim.network in {"", *known}, claim.id
        assert claim.measure is None or claim.measure.networks <= known, claim.id


def test_lecture_notes_are_marked_as_such() -> None:
    for claim in CLAIMS:
        notes = claim.source == "notes"
        assert notes == (claim.provenance == "notes"), claim.id
        assert bool(claim.instead) <= notes, claim.id
        assert claim.reading not in ("wrong", "imprecise") or claim.instead, claim.id


def test_what_a_source_derives_is_not_called_printed() -> None:
    for claim in CLAIMS:
        assert claim.source != "here" or claim.provenance == "derived", claim.id


def test_contradictions_show_in_the_figures() -> None:
    for source in papers():
        verdicts = {claim.id: claim.verdict for claim in source.claims}
        for entry in source.contradictions:
            shown = [verdicts[id_] for id_ in entry.claims]
            assert "differs" in shown or all(v in MEASURED for v in shown), entry.says


def test_figures_are_measured_not_repeated() -> None:
    """A measure that reads no network is arithmetic on more than the answer itself."""
    for claim in CLAIMS:
        if claim.measure is not None and not claim.measure.networks:
            assert str(claim.printed) not in _texts(claim.measure), claim.id


def _texts(measure: Measure) -> list[str]:
    if isinstance(measure, Of):
        inner = [text for part in measure.parts for text in _texts(part)]
        return [*inner, getattr(measure, "text", "")]
    return []


def test_an_unknown_paper_gets_the_nearest() -> None:
    with pytest.raises(UserError, match="no paper 'googlnet'; did you mean 'googlenet'"):
        paper("googlnet")


def test_known_verdicts() -> None:
    """Figures whose verdict is the point of the ledger."""
    by_id: dict[str, Claim] = {claim.id: claim for claim in CLAIMS}
    for id_, verdict in {
        "lenet5.params.total": "holds",
        "lenet5.connections.total": "holds",
        "vgg.D.params": "holds (rounded)",
        "alexnet.neurons.layers": "differs",
        "googlenet.t1.params.i4c": "differs",
        "bninc.t.out.4c": "differs",
        "mobilenet.t1.lastdw": "differs",
        "resnet.t5": "needs training",
        "resnet.recipe.lr": "not computable",
    }.items():
        assert by_id[id_].verdict == verdict
