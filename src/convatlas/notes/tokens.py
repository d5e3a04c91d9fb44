"""A plain line cut into numbers, names and signs."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

SCALES: dict[str, int | Fraction] = {
    **dict.fromkeys(("k", "K", "thousand", "千"), 10**3),
    **dict.fromkeys(("M", "million", "millions", "百万"), 10**6),
    **dict.fromkeys(("G", "B", "billion", "billions", "十亿"), 10**9),
    **dict.fromkeys(("T", "trillion", "万亿", "兆"), 10**12),
    "万": 10**4,
    "亿": 10**8,
    "%": Fraction(1, 100),
}
NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+")
COMMAS = re.compile(r"\d[\d.]*,\d(?:[\d.,]*\d)?")
THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
DECIMAL = re.compile(r"(\d+),(\d+)")
LONGEST = 60  # digits; nobody writes more in a note
FAR = 100  # tokens in which the bracket around a number is looked for
SCALE = re.compile(
    r"\s*(?:(thousand|millions?|billions?|trillion|百万|十亿|万亿|千|万|亿|兆|%)"
    r"|([kKMGBT])(?![A-Za-z0-9_(]))"
)
NAME = re.compile(r"[A-Za-zα-ωΑ-Ω][A-Za-z0-9_]*'?")
SIGN = re.compile(r"\*\*|==|=>|<=|>=|!=|[-+*/^()\[\]=≈⌊⌋⌈⌉|<>]")
BOLD = re.compile(r"(?<=\S)\*\*(?=\s|$)|(?<!\S)\*\*(?=\S)")  # Markdown's, no power
TIMES = re.compile(r"\s*[xX]\s*(?=[\d(]|[A-Za-z]\b|[A-Z])")


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name, a sign, or something else (``other``), and where it stands."""

    kind: str
    text: str
    start: int
    end: int
    amount: Fraction = Fraction(0)
    place: Fraction = Fraction(0)  # the worth of the last digit that is written
    read: str = ""  # what was read, of a number that could have been taken for something else


def tokens(line: str) -> list[Token]:
    """All tokens of a plain line; blanks are left out."""
    found: list[Token] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        token = _next(line, at, found)
        found.append(token)
        at = token.end
    return found


def _next(line: str, at: int, before: list[Token]) -> Token:
    closes = before and (before[-1].kind in ("number", "name") or before[-1].text in ")]")
    if closes and (times := TIMES.match(line, at)):
        return Token("sign", "*", at, times.end())
    if commas := COMMAS.match(line, at):
        if decimal := _decimal(line, commas, before):
            return _number(line, commas, decimal)
        if not THOUSANDS.fullmatch(commas[0]):
            return Token("other", commas[0], at, commas.end())
    if number := NUMBER.match(line, at):
        if len(number[0]) > LONGEST:
            return Token("other", number[0], at, number.end())
        return _number(line, number)
    if name := NAME.match(line, at):
        return Token("name", name[0], at, name.end())
    if bold := BOLD.match(line, at):
        return Token("other", bold[0], at, bold.end())
    if sign := SIGN.match(line, at):
        return Token("sign", sign[0], at, sign.end())
    return Token("other", line[at], at, at + 1)


def _decimal(line: str, found: re.Match[str], before: list[Token]) -> str:
    """A number with a decimal comma as Python writes it; "" where the comma may part two numbers.

    So it may within a call or a list, alone in brackets, and between two statements (2*3=6,4*2=8).
    """
    parts = DECIMAL.fullmatch(found[0])
    if parts is None or len(found[0]) > LONGEST or THOUSANDS.fullmatch(found[0]) or _lists(before):
        return ""
    last = before[-1].text if before else ""
    behind = line[found.end() : found.end() + 9].lstrip()[:1] or "end"
    alone = last == "(" and behind == ")"
    between = last in ("=", "==", "≈") and behind in "+-*/^xX"
    return "" if alone or between else f"{parts[1]}.{parts[2]}"


def _lists(before: list[Token]) -> bool:
    """Whether commas part things here: in square brackets, and in those behind a name."""
    depth = 0
    for place in range(len(before) - 1, max(len(before) - FAR, 0) - 1, -1):
        text = before[place].text
        depth += (text in ")]") - (text in "([")
        if depth < 0:
            if text == "[" or (place > 0 and before[place - 1].kind == "name"):
                return True
            depth = 0
    return False


def _number(line: str, found: re.Match[str], decimal: str = "") -> Token:
    written = Decimal(decimal or found[0].replace(",", ""))
    exponent = written.as_tuple().exponent
    place = Fraction(10) ** exponent if isinstance(exponent, int) else Fraction(1)
    factor: int | Fraction = 1
    end = found.end()
    if scale := SCALE.match(line, end):
        factor = SCALES[scale[1] or scale[2]]
        end = scale.end()
    return Token(
        "number",
        line[found.start() : end],
        found.start(),
        end,
        Fraction(written) * factor,
        place * factor,
        f"{found[0]} read as {decimal}" if decimal else "",
    )
