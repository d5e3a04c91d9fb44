"""Networks as points: parameters over multiply-adds, as large as the memory they need."""

import io
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from convatlas.analysis.compare import Figures

SIZE = (7.0, 5.0)  # inches
SMALLEST, LARGEST = 40.0, 900.0  # points² of a dot


def scatter(networks: Sequence[Figures], kind: str) -> bytes:
    """A picture of ``kind`` svg, png or pdf; both axes logarithmic."""
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    most = max(one.peak for one in networks) or 1
    for one in networks:
        area = SMALLEST + (LARGEST - SMALLEST) * one.peak / most
        axes.scatter(max(one.macs, 1), max(one.parameters, 1), s=area, alpha=0.55)
        axes.annotate(
            one.network,
            (max(one.macs, 1), max(one.parameters, 1)),
            xytext=(6, 6),
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(0.15)
    axes.set_xlabel("multiply-adds")
    axes.set_ylabel("parameters")
    axes.set_title("dot area: bytes of activations that live at once", fontsize=9)
    axes.grid(visible=True, which="major", linewidth=0.4, alpha=0.5)
    buffer = io.BytesIO()
    dated = {"svg": "Date", "pdf": "CreationDate"}.get(kind)
    with rc_context({"svg.hashsalt": "convatlas"}):  # the same networks give the same file
        figure.savefig(buffer, format=kind, dpi=144, metadata={dated: None} if dated else None)
    return buffer.getvalue()
