"""Dilations that close the holes of a stack.

Write w for a layer's step in input pixels, its dilation times the jump before it. A stack leaves
no hole if each step is at most one more than the reach Σ (k - 1)·w of the layers before it. (If
the steps grow from layer to layer this is also necessary: nothing later could read the pixel right
behind that reach.) So stacks are built layer by layer, keeping for each reach the dilations that
change least, and of those the first in order.
"""

from dataclasses import replace

from convatlas.arithmetic.coverage import coverage
from convatlas.arithmetic.field import field
from convatlas.arithmetic.stack import Layer
from convatlas.arithmetic.window import Window

WIDEST = 500  # reach up to which dilations are sought; beyond it takes seconds

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
    best: dict[int, tuple[int, Dilations]] = {0: (0, ())}  # reach: (change, dilations so far)
    jump = 1
    for window in windows:
        best = _longer(best, window, jump, wanted)
        jump *= window.stride
    if not best:
        return None
    dilations = best[max(best)][1]
    return tuple(_dilated(window, new) for window, new in zip(windows, dilations, strict=True))


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
