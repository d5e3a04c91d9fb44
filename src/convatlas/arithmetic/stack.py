"""A stack of layers as text: ``"3 3d2 2s2 7x1p3x0"``.

A kernel, then in any order ``dN`` dilation, ``sN`` stride and ``pN`` padding. One number stands
for both axes, ``AxB`` for height and width. A pool is a kernel with a stride.
"""

import re

from convatlas.arithmetic.geometry import Geometry, Pair
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError

Layer = tuple[Window, Window]

LARGEST = 9999
PAIR = r"\d+(?:x\d+)?"
TOKEN = re.compile(rf"(?P<kernel>{PAIR})(?P<options>(?:[dsp]{PAIR})*)")
GRAMMAR = "write kernels with dN dilation, sN stride and pN padding, such as '7s2p3 3d2 2s2 3x1'"


def parse_stack(text: str) -> tuple[Layer, ...]:
    """The layers of a stack, first to last, each as its windows along height and width.

    Raises `UserError` naming the word that is no layer.
    """
    words = text.replace(",", " ").split()
    if not words:
        raise UserError(f"a stack needs at least one layer, given {text!r}; {GRAMMAR}")
    return tuple(_layer(word) for word in words)


def stack_text(layers: tuple[Layer, ...]) -> str:
    """The shortest text that `parse_stack` reads as these layers."""
    return " ".join(map(layer_text, layers))


def layer_text(layer: Layer) -> str:
    """One layer of it."""
    rows, columns = layer
    options = (
        ("", (rows.kernel, columns.kernel), (0, 0)),
        ("d", (rows.dilation, columns.dilation), (1, 1)),
        ("s", (rows.stride, columns.stride), (1, 1)),
        ("p", (rows.border[0], columns.border[0]), (0, 0)),
    )
    return "".join(f"{key}{pair_text(pair)}" for key, pair, usual in options if pair != usual)


def pair_text(pair: Pair) -> str:
    """``3`` or ``3x5``."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"


def parse_pair(text: str) -> Pair:
    """``3`` or ``3x5`` as (height, width); `UserError` for anything else."""
    if not re.fullmatch(PAIR, text, re.ASCII):
        raise UserError(f"{text!r} is no size; write one number or two, such as 3 or 3x5")
    sides = [int(side) for side in text.split("x")]
    if max(sides) > LARGEST:
        raise UserError(f"{text} is too large; the largest number is {LARGEST}")
    return sides[0], sides[-1]


def _layer(word: str) -> Layer:
    found = re.fullmatch(TOKEN, word)
    if not found:
        raise UserError(f"{word!r} is no layer of a stack; {GRAMMAR}")
    options = re.findall(rf"([dsp])({PAIR})", found["options"])
    given = {key: parse_pair(pair) for key, pair in options}
    if len(given) < len(options):
        raise UserError(f"{word!r} gives an option twice; leave one out")
    kernel = parse_pair(found["kernel"])
    geometry = Geometry(
        kernel=kernel,
        dilation=given.get("d", (1, 1)),
        stride=given.get("s", (1, 1)),
        padding=given.get("p", (0, 0)),
    )
    return geometry.windows(kernel)  # the size matters to *same* only, which has no letter
