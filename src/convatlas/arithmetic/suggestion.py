"""Dilations that close the holes of a stack.

Write w for a layer's step in input pixels, its dilation times the jump before it. Taken in the
order of their steps, layers leave no hole exactly if each step is at most one more than the reach
Σ (k - 1)·w of those before it: otherwise nothing reads the pixel right behind that reach. So layers
are lined up one by one, keeping for each reach the dilations that change least. Up to four layers
are lined up in every order, which finds the best there is; more only in the order of the stack.
"""

from dataclasses import replace
from itertools import permutations

from convatlas.arithmetic.coverage import coverage
from convatlas.arithmetic.field import field, fields
from convatlas.arithmetic.stack import Layer
from convatlas.arithmetic.window import Window

WIDEST = 500  # reach up to which dilations are sought; beyond it takes seconds
MOST_ORDERED = 4  # layers that are lined up in every order

Dilations = tuple[int, ...]


def suggest(layers: tuple[Layer, ...]) -> tuple[Layer, ...] | None:
    """The same layers with dilations that leave no holes; the field as near as can be, not larger.

    ``None`` if there are no holes, if no dilations close them (a stride larger than its kernel),
    or if the field is too large for the search.
    """
    if not coverage(layers).gridding:
        return None
    rows, columns = zip(*layers, strict=True)
    new_rows, new_columns = closed(rows), closed(columns)
    if new_rows is None or new_columns is None:
        return None
    return tuple(zip(new_rows, new_columns, strict=True))


def closed(windows: tuple[Window, ...]) -> tuple[Window, ...] | None:
    """Along one axis."""
    wanted = field(windows).size - 1
    if wanted > WIDEST:
        return None
    jumps = tuple(step.jump for step in fields(windows))
    found = [_lined_up(windows, jumps, order, wanted) for order in _orders(windows, jumps)]
    best = min((each for each in found if each), default=None)
    if best is None:
        return None
    return tuple(_dilated(window, new) for window, new in zip(windows, best[2], strict=True))


def _orders(windows: tuple[Window, ...], jumps: Dilations) -> list[tuple[int, ...]]:
    """The orders worth trying; two that only swap equal layers count as one."""
    stack = tuple(range(len(windows)))
    if len(windows) > MOST_ORDERED:
        return [stack]
    kinds = {
        tuple((windows[at].kernel, jumps[at], windows[at].dilation) for at in order): order
        for order in reversed(list(permutations(stack)))
    }
    return list(kinds.values())


def _lined_up(
    windows: tuple[Window, ...], jumps: Dilations, order: tuple[int, ...], wanted: int
) -> tuple[int, int, Dilations] | None:
    """The largest reach in one order: minus the reach, the change, the dilations in the stack."""
    best: dict[int, tuple[int, Dilations]] = {0: (0, ())}  # reach: (change, dilations so far)
    for at in order:
        best = _longer(best, windows[at], jumps[at], wanted)
    if not best:
        return None
    change, dilations = best[max(best)]
    in_stack = tuple(dilation for _, dilation in sorted(zip(order, dilations, strict=True)))
    return -max(best), change, in_stack


def _dilated(window: Window, dilation: int) -> Window:
    """With another dilation; a padding that kept the size of the map still does."""
    changed = replace(window, dilation=dilation)
    kept_size = (window.span // 2, window.span // 2)
    if window.span % 2 and window.border == kept_size:
        return replace(changed, border=(changed.span // 2, changed.span // 2))
    return changed


def _longer(
    best: dict[int, tuple[int, Dilations]], window: Window, jump: int, wanted: int
) -> dict[int, tuple[int, Dilations]]:
    """One layer more: every dilation whose step is at most one more than the reach so far."""
    longer: dict[int, tuple[int, Dilations]] = {}
    for reach, (change, dilations) in best.items():
        if window.kernel == 1:  # reads one pixel, whatever its dilation
            choices = range(window.dilation, window.dilation + 1)
        else:
            choices = range(1, (reach + 1) // jump + 1)
        for dilation in choices:
            new = reach + (window.kernel - 1) * dilation * jump
            if new > wanted:
                break
            option = (change + abs(dilation - window.dilation), (*dilations, dilation))
            longer[new] = min(longer.get(new, option), option)
    return longer
