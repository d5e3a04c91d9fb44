"""How training went, as drawings that take on the page's colours."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convatlas.training.state import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, LINE = "#010203", "#040506"  # stand-ins, replaced by what the style sheet says
Point = tuple[float, float]  # epochs so far, value
MARKED = 25  # points that are few enough to be marked one by one
SIZE = (3.4, 2.3)  # inches: three side by side, or one across a phone
MARGINS = {"left": 0.16, "right": 0.99, "bottom": 0.2, "top": 0.97}  # finding them draws twice


@dataclass(frozen=True, slots=True)
class Curve:
    """One drawing."""

    title: str
    svg: str


def curves(history: Sequence[EpochRecord], evaluated_on: str) -> tuple[Curve, ...]:
    """Loss and rate within and over the epochs; the error from two epochs on."""
    if not history:
        return ()
    loss = [point for record in history for point in _within(record.epoch, record.losses)]
    rate = [point for record in history for point in _within(record.epoch, record.rates)]
    error = [
        (float(record.epoch), 100 * record.validation_error)
        for record in history
        if record.validation_error is not None
    ]
    drawn = [("loss", "Training loss", loss)]
    drawn += [("error", f"{evaluated_on.capitalize()} error, %", error)] if len(error) > 1 else []
    drawn += [("rate", "Learning rate", rate)]
    return tuple(Curve(title, _draw(name, title, points)) for name, title, points in drawn)


def _within(epoch: int, values: Sequence[float]) -> list[Point]:
    """The values of an epoch's pieces, each at the middle of its piece."""
    return [(epoch - 1 + (i + 0.5) / len(values), value) for i, value in enumerate(values)]


def _draw(name: str, title: str, points: list[Point]) -> str:
    """One line on two axes, as an SVG element whose ids begin with ``name``."""
    from matplotlib import rc_context  # half a second, which other commands need not wait for
    from matplotlib.figure import Figure

    # Text stays text, in the page's typeface; the same run gives the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "convatlas", "font.size": 9.0}):
        figure = Figure(figsize=SIZE)
        figure.subplots_adjust(**MARGINS)
        axes = figure.add_subplot()
        marker = "o" if len(points) <= MARKED else None
        places, values = zip(*points, strict=True)
        axes.plot(places, values, color=LINE, marker=marker, markersize=3, linewidth=1.4)
        _dress(axes, max(values))
        buffer = io.BytesIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inlined(buffer.getvalue().decode(), name, _described(title, points))


def _dress(axes: "Axes", highest: float) -> None:
    """Two axes from zero, in the colour of the text."""
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0, top=1.08 * highest or 1)
    axes.locator_params(axis="x", integer=True, nbins=6, min_n_ticks=2)
    axes.locator_params(axis="y", nbins=5)
    axes.set_xlabel("epoch", color=INK)
    axes.tick_params(colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)


def _described(title: str, points: list[Point]) -> str:
    (start, first), (end, last) = points[0], points[-1]
    return f"{title}: from {first:.4g} after {start:.4g} epochs to {last:.4g} after {end:.4g}"


def _inlined(svg: str, name: str, description: str) -> str:
    """Fit for the middle of a page: ids and colours that suit it, no style rules, and words."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", element, flags=re.DOTALL)
    element = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", element)
    element = element.replace(INK, "currentColor").replace(LINE, "var(--line)")
    element = re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', "", element, count=1)
    return element.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)
