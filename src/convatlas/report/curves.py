"""How training went, epoch by epoch, as drawings that take on the page's colours."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convatlas.training.state import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, LINE = "#010203", "#040506"  # stand-ins, replaced by what the style sheet says
SIZE = (3.4, 2.3)  # inches: three side by side, or one across a phone
MARGINS = {"left": 0.16, "right": 0.99, "bottom": 0.2, "top": 0.97}  # finding them draws twice


@dataclass(frozen=True, slots=True)
class Curve:
    """One drawing."""

    title: str
    svg: str


def curves(history: Sequence[EpochRecord], evaluated_on: str) -> tuple[Curve, ...]:
    """Loss, error and rate over the epochs; none for fewer than two, which make no line."""
    if len(history) < 2:
        return ()
    error = [record.validation_error for record in history]
    lines: list[tuple[str, str, list[float]]] = [
        ("loss", "Training loss", [record.train_loss for record in history])
    ]
    if None not in error:
        shares = [100 * value for value in error if value is not None]
        lines.append(("error", f"{evaluated_on.capitalize()} error, %", shares))
    lines.append(("rate", "Learning rate at the end", [record.lr for record in history]))
    epochs = [record.epoch for record in history]
    return tuple(Curve(title, _draw(name, title, epochs, values)) for name, title, values in lines)


def _draw(name: str, title: str, epochs: list[int], values: list[float]) -> str:
    """One line on two axes, as an SVG element whose ids begin with ``name``."""
    from matplotlib import rc_context  # half a second, and a run of one epoch needs no drawing
    from matplotlib.figure import Figure

    # Text stays text, in the page's typeface; the same run gives the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "convatlas", "font.size": 9.0}):
        figure = Figure(figsize=SIZE)
        figure.subplots_adjust(**MARGINS)
        axes = figure.add_subplot()
        axes.plot(epochs, values, color=LINE, marker="o", markersize=3, linewidth=1.4)
        _dress(axes, max(values))
        buffer = io.BytesIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inlined(buffer.getvalue().decode(), name, _described(title, epochs, values))


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


def _described(title: str, epochs: list[int], values: list[float]) -> str:
    return (
        f"{title}: from {values[0]:.4g} after epoch {epochs[0]} "
        f"to {values[-1]:.4g} after epoch {epochs[-1]}"
    )


def _inlined(svg: str, name: str, description: str) -> str:
    """Fit for the middle of a page: ids and colours that suit it, no style rules, and words."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", element, flags=re.DOTALL)
    element = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", element)
    element = element.replace(INK, "currentColor").replace(LINE, "var(--line)")
    element = re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', "", element, count=1)
    return element.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)
