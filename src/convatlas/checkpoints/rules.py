"""How the keys of two libraries correspond: a few lines for each family, read from ours to theirs.

``stage{n}.block{m}.branch.conv{k}`` and ``layer{n}.{m-1}.conv{k}``: a name in braces is a number,
which theirs may have more or less by a constant. A line stands for a module, whose parameters and
running statistics have the same names in both, or for one tensor. The other direction is the
inverse of the same table, which exists because no two of our keys become one.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

Rules = tuple[tuple[str, str], ...]  # ours, theirs

LEAVES = r"(?P<leaf>(?:\.(?:weight|bias|running_mean|running_var|num_batches_tracked))?)"
NUMBER = re.compile(r"\{(\w+?)(?:([+-])(\d+))?\}")


def renamed(keys: Iterable[str], rules: Rules) -> dict[str, str] | None:
    """Their key for each of ours, in our order; ``None`` where the rules are not for these keys.

    That is where a key has no rule, or two keys would become one.
    """
    found: dict[str, str] = {}
    for key in keys:
        other = _renamed(key, rules)
        if other is None:
            return None
        found[key] = other
    return found if len(set(found.values())) == len(found) else None


def beneath(modules: Mapping[str, str], rules: Rules) -> Rules:
    """The same rules inside each of several modules."""
    return tuple(
        (f"{ours}.{mine}", f"{theirs}.{other}")
        for ours, theirs in modules.items()
        for mine, other in rules
    )


def normed(rules: Rules) -> Rules:
    """Convolution and batch norm: numbered in ours, named ``conv`` and ``bn`` in theirs."""
    parts = (("0", "conv"), ("1", "bn"))
    return tuple(
        (f"{ours}.{mine}", f"{theirs}.{other}") for ours, theirs in rules for mine, other in parts
    )


def _renamed(key: str, rules: Rules) -> str | None:
    for ours, theirs in rules:
        match = _pattern(ours).fullmatch(key)
        if match:
            return _filled(theirs, match) + match["leaf"]
    return None


@cache
def _pattern(ours: str) -> re.Pattern[str]:
    """The rule's left side as a regular expression."""
    parts = NUMBER.split(ours)  # text, name, sign, amount, text, …
    text = re.escape(parts[0])
    for name, rest in zip(parts[1::4], parts[4::4], strict=True):
        text += rf"(?P<{name}>\d+)" + re.escape(rest)
    return re.compile(text + LEAVES)


def _filled(theirs: str, match: re.Match[str]) -> str:
    """The rule's right side with the numbers that the left side found."""

    def number(place: re.Match[str]) -> str:
        name, sign, amount = place.groups()
        change = int(f"{sign}{amount}") if sign else 0
        return str(int(match[name]) + change)

    return NUMBER.sub(number, theirs)
