"""The arithmetic statements of a note: chains of equals signs, each re-computed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor, log10
from typing import Literal

from convatlas.notes.expression import Member, Reader
from convatlas.notes.text import plain
from convatlas.notes.tokens import Token, tokens

Verdict = Literal["right", "right, rounded", "rounded", "near", "wrong", "not computed"]
RELATIONS = ("=", "==", "≈")
NEAR = Fraction(3, 100)  # what an ≈ may be off


@dataclass(frozen=True, slots=True)
class Statement:
    """One equals sign with what stands on its sides.

    ``right, rounded``: the decimals that are written are right. ``rounded``: an equals sign between
    a fraction and the whole number next to it. ``near``: within what ≈ allows. ``not computed``:
    a name in it stands for nothing that the note says.
    """

    line: int
    text: str
    verdict: Verdict
    value: str  # what the left side comes to; empty if it cannot be told
    read: str = ""  # how numbers with a decimal comma were read


def statements(note: str) -> Iterator[Statement]:
    """Every statement of a text, in order; ``name = number`` holds until the next blank line."""
    names: dict[str, Fraction] = {}
    for number, line in enumerate(note.splitlines(), start=1):
        flat = plain(line)
        if not flat.strip():
            names = {}
            continue
        found = tokens(flat)
        for chain, relations in _chains(found, names):
            for place, relation in enumerate(relations):
                left, right = chain[place], chain[place + 1]
                if _says_nothing(chain, left, right):
                    continue
                text = flat[found[left.start].start : found[right.end - 1].end].strip()
                read = [token.read for token in found[left.start : right.end] if token.read]
                judged = _judged(number, text, left, right, relation)
                yield replace(judged, read=", ".join(dict.fromkeys(read)))


def _chains(
    found: list[Token], names: dict[str, Fraction]
) -> Iterator[tuple[list[Member], list[str]]]:
    """Members and the relations between them; learns what names stand for on the way."""
    reader = Reader(found, names)
    at = 0
    while at < len(found):
        first = reader.member(at)
        if first is None or not _relates(found, first.end):
            at += 1
            continue
        chain, relations = [first], []
        while _relates(found, chain[-1].end):
            following = reader.member(chain[-1].end + 1)
            if following is None:
                break
            relations.append(found[chain[-1].end].text)
            chain.append(following)
        if relations:
            known = [member.amount for member in chain if member.amount is not None]
            names.update({m.name: known[-1] for m in chain if m.name and known})
            yield chain, relations
        at = chain[-1].end if relations else at + 1


def _relates(found: list[Token], at: int) -> bool:
    return at < len(found) and found[at].text in RELATIONS


def _says_nothing(chain: list[Member], left: Member, right: Member) -> bool:
    """``k = 3`` gives a name; only what has something to compute on a side is a statement."""
    if left.name or right.name:
        return True
    return not any(member.operators for member in chain)


def _judged(line: int, text: str, left: Member, right: Member, relation: str) -> Statement:
    if left.amount is None or right.amount is None:
        return Statement(line, text, "not computed", _shown(left.amount or right.amount))
    return Statement(line, text, _verdict(left, right, relation), _shown(left.amount))


def _verdict(left: Member, right: Member, relation: str) -> Verdict:
    assert left.amount is not None
    assert right.amount is not None
    if left.amount == right.amount:
        return "right"
    if _rounds_to(left.amount, right) or _rounds_to(right.amount, left):
        whole = right.place is not None and right.place == 1 and left.amount.denominator != 1
        return "rounded" if whole and relation != "≈" else "right, rounded"
    larger = max(abs(left.amount), abs(right.amount))
    if relation == "≈" and abs(left.amount - right.amount) <= NEAR * larger:
        return "near"
    return "wrong"


def _rounds_to(amount: Fraction, written: Member) -> bool:
    """Whether a number is the other one, cut or rounded to the digits that are written."""
    if written.amount is None or written.place is None:
        return False
    if amount.denominator == 1 and written.place <= 1:
        return False
    steps = abs(amount) / written.place
    return abs(written.amount) in (floor(steps) * written.place, round(steps) * written.place)


def _shown(amount: Fraction | None) -> str:
    """A value as one reads it: whole numbers in full, others to six figures."""
    if amount is None:
        return ""
    if amount.denominator == 1:
        return f"{amount.numerator:,}"
    number = float(amount)
    digits = max(0, 5 - floor(log10(abs(number))))
    return f"{number:,.{min(digits, 12)}f}".rstrip("0").rstrip(".")
