"""Every second row and column cut out and stacked as maps: a view, when nothing is left out."""

from dataclasses import replace

from convatlas.analysis.meaning.layout import Factor, Layout


def stepped(layout: Layout, place: int, start: int, step: int, length: int) -> Layout:
    """``x[…, start::step]`` on an axis that is one factor; raises `ValueError` otherwise."""
    axis = layout.axes[place]
    if len(axis) != 1 or axis[0][0] != length * step:
        raise ValueError(axis)
    ((_, apart),) = axis
    axes = (*layout.axes[:place], ((length, apart * step),), *layout.axes[place + 1 :])
    return replace(layout, axes=axes, offset=layout.offset + start * apart)


def stacked(parts: list[Layout], axis: int) -> Layout | None:
    """Parts of one tensor side by side on an axis, if together they are a view of it."""
    first = parts[0]
    if any(part.axes != first.axes or part.total != first.total for part in parts):
        return None
    outer = _grid([part.offset for part in parts])
    place = axis % len(first.axes)
    if outer is None:
        return None
    joined = (*outer, *first.axes[place])
    return replace(first, axes=(*first.axes[:place], joined, *first.axes[place + 1 :]))


def _grid(offsets: list[int]) -> tuple[Factor, ...] | None:
    """Offsets as the factors that count through them, slowest first."""
    count = len(offsets)
    if count == 1:
        return ()
    apart = offsets[1] - offsets[0]
    run = 1
    while run < count and offsets[run] - offsets[0] == run * apart:
        run += 1
    if count % run:
        return None
    starts = offsets[::run]
    for n, start in enumerate(starts):
        if offsets[n * run : (n + 1) * run] != [start + k * apart for k in range(run)]:
            return None
    outer = _grid(starts)
    return None if outer is None else (*outer, (run, apart))
