"""Expressions read from tokens and worked out exactly, as fractions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from convatlas.notes.tokens import Token

PAIRS = {"(": ")", "[": "]", "⌊": "⌋", "⌈": "⌉"}
FUNCTIONS: dict[str, Callable[[Fraction], Fraction]] = {
    "floor": lambda value: Fraction(floor(value)),
    "ceil": lambda value: Fraction(ceil(value)),
    "round": lambda value: Fraction(floor(value + Fraction(1, 2))),
}
DEEPEST = 50  # brackets within brackets, and powers of powers
LARGEST = 10**60  # so that a tower of powers does not take all day


@dataclass(frozen=True, slots=True)
class Member:
    """One side of an equals sign: its value if it has one, and how it is written."""

    amount: Fraction | None  # None: it has names that stand for nothing known
    start: int
    end: int  # the first token behind it
    operators: int
    name: str = ""  # if it is nothing but a name
    place: Fraction | None = None  # if it is a single number: the worth of its last digit


class Reader:
    """Reads the longest expression from a token on."""

    def __init__(self, tokens: list[Token], names: Mapping[str, Fraction]) -> None:
        self.tokens, self.names = tokens, names
        self.at = 0
        self.operators = 0
        self.known = True
        self.depth = 0

    def member(self, start: int) -> Member | None:
        """The expression that begins here, or ``None``."""
        self.at, self.operators, self.known, self.depth = start, 0, True, 0
        try:
            amount = self._sum()
        except (SyntaxError, ZeroDivisionError, OverflowError):
            return None
        signed = self.tokens[start].text in ("-", "+")
        one = self.tokens[start + signed] if self.at == start + signed + 1 else None
        return Member(
            amount if self.known else None,
            start,
            self.at,
            self.operators,
            one.text if one and one.kind == "name" and not signed else "",
            one.place if one and one.kind == "number" else None,
        )

    def _peek(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at].kind == "sign":
            return self.tokens[self.at].text
        return ""

    def _sum(self) -> Fraction:
        value = self._product()
        while (sign := self._peek()) in ("+", "-"):
            other = self._operand(self._product)
            if other is None:
                break
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while (sign := self._peek()) in ("*", "/") or (sign := self._side_by_side()):
            other = self._operand(self._signed) if sign != "(" else self._beside()
            if other is None:
                break
            value = value / other if sign == "/" else value * other
        return value

    def _side_by_side(self) -> str:
        """``2(3 + 4)``: a bracket right behind a number or another bracket multiplies."""
        if self._peek() != "(" or self.at == 0:
            return ""
        before, here = self.tokens[self.at - 1], self.tokens[self.at]
        closes = before.kind == "number" or before.text == ")"
        return "(" if closes and before.end == here.start else ""

    def _beside(self) -> Fraction | None:
        self.at -= 1  # no sign stands between
        return self._operand(self._signed)

    def _operand(self, read: Callable[[], Fraction]) -> Fraction | None:
        """What an operator joins; where nothing can follow, the expression ends before the sign."""
        before = self.at
        self.at += 1
        try:
            other = read()
        except SyntaxError:
            self.at = before
            return None
        self.operators += 1
        return other

    def _signed(self) -> Fraction:
        if self._peek() in ("-", "+"):
            sign = self._peek()
            self.at += 1
            return -self._signed() if sign == "-" else self._signed()
        return self._power()

    def _power(self) -> Fraction:
        value = self._atom()
        if self._peek() not in ("^", "**"):
            return value
        self.depth += 1
        if self.depth > DEEPEST:
            raise SyntaxError
        exponent = self._operand(self._signed)
        self.depth -= 1
        if exponent is None:
            return value
        if exponent.denominator != 1 or abs(exponent) > 200 or abs(value) > LARGEST:
            self.known = False  # a root, or a number that nobody can check by hand
            return value
        return value ** int(exponent)

    def _atom(self) -> Fraction:
        if self.at >= len(self.tokens):
            raise SyntaxError
        token = self.tokens[self.at]
        if token.kind == "number":
            self.at += 1
            return token.amount
        if token.kind == "name":
            return self._name(token)
        if token.kind == "sign" and token.text in PAIRS:
            return self._bracketed(token.text)
        raise SyntaxError

    def _name(self, token: Token) -> Fraction:
        self.at += 1
        if token.text in FUNCTIONS and self._peek() == "(":
            return FUNCTIONS[token.text](self._bracketed("("))
        if token.text not in self.names:
            self.known = False
        return self.names.get(token.text, Fraction(1))

    def _bracketed(self, opening: str) -> Fraction:
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise SyntaxError
        value = self._sum()
        if self._peek() != PAIRS[opening]:
            raise SyntaxError
        self.at += 1
        self.depth -= 1
        if opening == "⌊":
            return Fraction(floor(value))
        return Fraction(ceil(value)) if opening == "⌈" else value
