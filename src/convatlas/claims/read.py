"""A file of the ledger, read and checked.

title = "Going deeper with convolutions"

[sources]                       # the first is the paper itself
googlenet = "Szegedy et al., CVPR 2015, arXiv:1409.4842"

[[contradiction]]               # where the paper disagrees with itself
says = "…"
claims = ["googlenet.t1.params.conv1"]

[[claim]]
id = "googlenet.t1.params.conv1"
network = "googlenet"           # an entry of the atlas; left out where none is meant
what = "parameters of conv1"
printed = 2.7                   # digits as printed: 2.70 is another precision
unit = "thousand weights"
place = "Table 1"               # source = "…" where it is not the paper itself
provenance = "second-hand"
measure = { weights = "googlenet", at = "stem.0" }
verdict = "differs: …"
counted = 9.408                 # what is measured, where that is not exactly as printed
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from convatlas.claims.claim import (
    DIFFERS,
    MEASURED,
    NOT_COMPUTABLE,
    ROUNDED,
    VERDICTS,
    Claim,
    Contradiction,
    Paper,
    Provenance,
    Reading,
)
from convatlas.claims.kinds import read_measure
from convatlas.errors import UserError
from convatlas.nearest import closest

REQUIRED = ("id", "what", "printed", "place", "provenance", "verdict")
OPTIONAL = (
    *("network", "unit", "source", "measure", "half", "under", "counted"),
    *("reading", "instead", "note"),
)
TEXTS = ("id", "what", "place", "verdict", "network", "unit", "source", "instead", "note")
FILE = ("title", "sources", "contradiction", "claim")
LISTS = (tuple, list)


def read_paper(path: Path) -> Paper:
    """One file; raises `UserError` with the file, the claim and what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return _paper(path.stem, table)
    except (tomllib.TOMLDecodeError, UserError) as error:
        raise UserError(f"{path.name}: {error}") from error


def _paper(name: str, table: dict[str, Any]) -> Paper:
    _only("the file", table, FILE)
    _needs("the file", table, ("title", "sources", "claim"))
    sources = dict(table["sources"])
    claims = tuple(_claim(entry, sources) for entry in table["claim"])
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise UserError(f"the id {claim.id!r} is given twice")
        seen.add(claim.id)
    contradictions = tuple(_contradiction(e, seen) for e in table.get("contradiction", ()))
    return Paper(
        name=name,
        title=table["title"],
        sources=sources,
        contradictions=contradictions,
        claims=claims,
    )


def _contradiction(entry: dict[str, Any], known: set[str]) -> Contradiction:
    _only("a contradiction", entry, ("says", "claims"))
    _needs("a contradiction", entry, ("says", "claims"))
    for id_ in entry["claims"]:
        if id_ not in known:
            raise UserError(f"a contradiction names {id_!r}{closest(id_, tuple(known))}")
    return Contradiction(entry["says"], tuple(entry["claims"]))


def _claim(entry: dict[str, Any], sources: dict[str, str]) -> Claim:
    label = f"claim {entry.get('id', '?')}"
    _only(label, entry, (*REQUIRED, *OPTIONAL))
    _needs(label, entry, REQUIRED)
    for key in TEXTS:
        if not isinstance(entry.get(key, ""), str):
            raise UserError(f"{label}: {key} is text, given {entry[key]!r}")
    _one_of(label, "provenance", entry["provenance"], get_args(Provenance))
    _one_of(label, "source", entry.get("source", next(iter(sources))), tuple(sources))
    if "reading" in entry:
        _one_of(label, "reading", entry["reading"], get_args(Reading))
    verdict, _, why = entry["verdict"].partition(": ")
    _one_of(label, "verdict", verdict, VERDICTS)
    try:
        measure = read_measure(entry["measure"]) if "measure" in entry else None
    except UserError as error:
        raise UserError(f"{label}: {error}") from error
    _agree(label, entry, verdict, why)
    return Claim(
        id=entry["id"],
        network=entry.get("network", ""),
        what=entry["what"],
        printed=frozen(entry["printed"]),
        unit=entry.get("unit", ""),
        source=entry.get("source", next(iter(sources))),
        place=entry["place"],
        provenance=entry["provenance"],
        verdict=verdict,
        why=why,
        measure=measure,
        half=Decimal(entry["half"]) if "half" in entry else None,
        under=entry.get("under", False),
        counted=frozen(entry["counted"]) if "counted" in entry else None,
        reading=entry.get("reading"),
        instead=entry.get("instead", ""),
        note=entry.get("note", ""),
    )


def _agree(label: str, entry: dict[str, Any], verdict: str, why: str) -> None:
    """Whether the verdict has the measure and the reason that it needs, and no others."""
    if (verdict in MEASURED) != ("measure" in entry):
        rule = f"{', '.join(MEASURED)} need a measure, the other verdicts have none"
        raise UserError(f"{label}: the verdict is {verdict!r}; {rule}")
    if (verdict in (ROUNDED, DIFFERS)) != ("counted" in entry):
        raise UserError(
            f"{label}: counted stands where the verdict is {ROUNDED!r} or {DIFFERS!r}, "
            "and only there"
        )
    if (verdict in (DIFFERS, NOT_COMPUTABLE)) != bool(why):
        raise UserError(f"{label}: write {DIFFERS!r} and {NOT_COMPUTABLE!r} with ': ' and why")


def frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(map(frozen, value)) if isinstance(value, LISTS) else value


def _only(label: str, entry: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in entry:
        if key not in keys:
            raise UserError(f"{label} has no key {key!r}{closest(key, keys)}")


def _needs(label: str, entry: dict[str, Any], keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in entry]
    if missing:
        raise UserError(f"{label} lacks {', '.join(missing)}")


def _one_of(label: str, key: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"{label}: {key} is one of {', '.join(allowed)}, given {value!r}")
