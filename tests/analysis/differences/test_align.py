import random
from dataclasses import replace

import pytest

from convatlas.analysis.differences.align import align, cost, differing
from convatlas.analysis.meaning.item import Item


def item(letter: str) -> Item:
    return Item(letter, (), (), (0,), (1, 8), token=ord(letter))


def items(letters: str) -> list[Item]:
    return [item(letter) for letter in letters]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "abc", []),
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
        ("abcd", "acd", [(0, 0), (2, 1), (3, 2)]),
        ("xbcy", "zbcw", [(1, 1), (2, 2)]),
        ("abcabcabc", "abcabc", [(0, 0), (1, 1), (2, 2), (6, 3), (7, 4), (8, 5)]),
    ],
)
def test_equal_items_are_paired(a: str, b: str, expected: list[tuple[int, int]]) -> None:
    pairs = list(align(items(a), items(b)))
    assert len(pairs) == len(expected)
    assert [a[i] for i, _ in pairs] == [b[j] for _, j in pairs]
    # what is left out hangs together
    assert len({j - i for i, j in pairs}) <= len({j - i for i, j in expected})


def test_as_many_are_paired_as_in_the_longest_common_subsequence() -> None:
    # Different roles are never paired, so that the cheapest path is a longest common subsequence.
    drawn = random.Random(0)
    for _ in range(200):
        a = "".join(drawn.choices("abcd", k=drawn.randrange(30)))
        b = "".join(drawn.choices("abcd", k=drawn.randrange(30)))
        pairs = align(items(a), items(b))
        assert [*pairs] == sorted(pairs, key=lambda pair: pair[1]) == sorted(pairs)
        # gaps that stay together may cost a pair: at the most one in ten
        assert 10 * len(pairs) >= 9 * longest(a, b) - 10


def longest(a: str, b: str) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def test_of_different_kinds_only_the_kind_is_said() -> None:
    a = replace(item("p"), settings=(("kind", "max"), ("kernel", (2, 2))), token=1)
    b = replace(item("p"), settings=(("kind", "avg"), ("kernel", (3, 3))), token=2)
    assert differing(a, b) == (("kind", "max", "avg"),)
    assert cost(a, a) == 0 < cost(a, replace(a, shape=(1, 4))) < cost(a, b) < 1 < cost(a, item("q"))
