"""What ``convatlas conv`` says about one layer."""

from dataclasses import dataclass

from convatlas.arithmetic import derivation, drawing
from convatlas.arithmetic.convolution import Convolution, Cost, total
from convatlas.arithmetic.derivation import Line
from convatlas.arithmetic.geometry import Geometry, Pair, Shape
from convatlas.arithmetic.pooling import Pool
from convatlas.arithmetic.size import rounded_up
from convatlas.arithmetic.stack import pair_text
from convatlas.arithmetic.transposed import Transposed
from convatlas.arithmetic.window import Window
from convatlas.tables import Table

COLUMNS = ("layer", "input", "output", "weights", "biases", "parameters", "MACs")
MORE_COLUMNS = ("effective kernel", "receptive field", "pixels never read", "working")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One layer on one input: the figures, how they come about, and a drawing."""

    name: str
    title: str
    shape: Shape
    cost: Cost
    span: Pair
    field: Pair
    unread: tuple[tuple[int, ...], tuple[int, ...]] | None  # rows and columns; None: not asked
    lines: tuple[Line, ...]
    drawing: str
    notes: tuple[str, ...] = ()

    @property
    def num_unread(self) -> int:
        """Pixels in the rows and columns that are never read."""
        rows, columns = self.unread or ((), ())
        height, width = self.shape[1:]
        return height * width - (height - len(rows)) * (width - len(columns))


def of_convolution(name: str, layer: Convolution, shape: Shape) -> Report:
    """A convolution of any kind but transposed."""
    windows = layer.geometry.windows(shape[1:])
    cost = layer.cost(shape[1:])
    groups = f", {layer.groups} groups" if layer.groups > 1 else ""
    return Report(
        name=name,
        title=f"{name} {_kernel(layer.geometry)}, {layer.c_in} → {layer.c_out} channels{groups}",
        shape=shape,
        cost=cost,
        span=_spans(windows),
        field=_spans(windows),
        unread=_unread(windows, shape),
        lines=derivation.of_convolution(layer, shape[1:]),
        drawing=drawing.of_windows(windows, shape[1:]),
        notes=_notes(layer.geometry),
    )


def of_transposed(layer: Transposed, shape: Shape) -> Report:
    """A transposed convolution; an output sees the few inputs that paint it."""
    windows = layer.geometry.windows(shape[1:])
    overlaps = layer.overlaps()
    return Report(
        name="transposed",
        title=f"transposed convolution {_kernel(layer.geometry)}, "
        f"{layer.c_in} → {layer.c_out} channels"
        + (f", {layer.groups} groups" if layer.groups > 1 else ""),
        shape=shape,
        cost=layer.cost(shape[1:]),
        span=_spans(windows),
        field=(_seen(windows[0], shape[1]), _seen(windows[1], shape[2])),
        unread=None,
        lines=derivation.of_transposed(layer, shape[1:]),
        drawing=drawing.of_transposed(layer, shape[1:]),
        notes=_checkerboard(overlaps),
    )


def of_pool(layer: Pool, shape: Shape) -> Report:
    """A pool."""
    windows = layer.windows(shape[1:])
    overlap = "overlapping" if layer.overlapping else "windows do not overlap"
    kind = {"max": "max pool", "avg": "average pool"}[layer.kind]
    rounding = "up" if layer.ceil else "down"
    return Report(
        name=kind,
        title=f"{kind} {_kernel(layer.geometry)}, {overlap}, rounding {rounding}",
        shape=shape,
        cost=layer.cost(shape),
        span=_spans(windows),
        field=_spans(windows),
        unread=_unread(windows, shape),
        lines=derivation.of_pool(layer, shape[1:]),
        drawing=drawing.of_windows(windows, shape[1:]),
        notes=("channel by channel, no parameters and no multiply-adds", *_notes(layer.geometry)),
    )


def as_text(report: Report) -> str:
    """For people: figures, working, drawing."""
    cost = report.cost
    weights = "weight" if cost.weights == 1 else "weights"
    biases = "bias" if cost.biases == 1 else "biases"
    split = f" = {cost.weights:,} {weights} + {cost.biases:,} {biases}" if cost.biases else ""
    facts = [
        ("input", shape_text(report.shape)),
        ("output", shape_text(cost.output)),
        ("parameters", f"{cost.parameters:,}{split}"),
        ("MACs", f"{cost.macs:,}"),
        ("effective kernel", f"{report.span[0]}x{report.span[1]}"),
        ("receptive field", f"{report.field[0]}x{report.field[1]}"),
        *([("lost pixels", _lost_text(report))] if report.unread is not None else []),
        *(("note", note) for note in report.notes),
    ]
    working = [(line.what, line.working) for line in report.lines]
    parts = [report.title, _pairs(facts), "", _pairs(working), "", report.drawing]
    return "\n".join(parts)


def as_table(reports: tuple[Report, ...], *, more: bool = False) -> Table:
    """A row for each layer, and one for several together; ``more`` adds what the text says too."""
    rows = [
        _row(report.name, report.shape, report.cost) + (_more(report) if more else ())
        for report in reports
    ]
    if len(reports) > 1:
        whole = total(tuple(report.cost for report in reports))
        terms = " + ".join(f"{report.cost.parameters:,}" for report in reports)
        working = f"parameters: {terms} = {whole.parameters:,}"
        first = _more(reports[0])  # the depthwise layer is the one that looks around
        together = _row("together", reports[0].shape, whole)
        rows.append(together + ((*first[:-1], working) if more else ()))
    return Table((*COLUMNS, *(MORE_COLUMNS if more else ())), tuple(rows))


def _row(name: str, shape: Shape, cost: Cost) -> tuple[str | int, ...]:
    """The cells of `COLUMNS`."""
    sizes = shape_text(shape), shape_text(cost.output)
    return (name, *sizes, cost.weights, cost.biases, cost.parameters, cost.macs)


def shape_text(shape: tuple[int, ...]) -> str:
    """``3x64x64``."""
    return "x".join(map(str, shape))


def _more(report: Report) -> tuple[str | int, ...]:
    working = "; ".join(f"{line.what}: {line.working}" for line in report.lines)
    return shape_text(report.span), shape_text(report.field), report.num_unread, working


def _pairs(lines: list[tuple[str, str]]) -> str:
    width = max((len(what) for what, _ in lines), default=0)
    return "\n".join(f"  {what.ljust(width)}  {text}" for what, text in lines)


def _kernel(geometry: Geometry) -> str:
    """``3x3, stride 2, dilation 2`` without what is usual."""
    parts = [f"{geometry.kernel[0]}x{geometry.kernel[1]}"]
    if geometry.stride != (1, 1):
        parts.append(f"stride {pair_text(geometry.stride)}")
    if geometry.dilation != (1, 1):
        parts.append(f"dilation {pair_text(geometry.dilation)}")
    if isinstance(geometry.padding, str):
        parts.append(f"padding {geometry.padding}")
    elif geometry.padding != (0, 0):
        parts.append(f"padding {pair_text(geometry.padding)}")
    return ", ".join(parts)


def _spans(windows: tuple[Window, Window]) -> Pair:
    return windows[0].span, windows[1].span


def _unread(
    windows: tuple[Window, Window], shape: Shape
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return windows[0].unread(shape[1]), windows[1].unread(shape[2])


def _seen(window: Window, size: int) -> int:
    """From the first to the last input that can paint one output of a transposed convolution."""
    return min(size, rounded_up(window.span, window.stride))


def _lost_text(report: Report) -> str:
    rows, columns = report.unread or ((), ())
    if not rows and not columns:
        return "none, every pixel is read"
    names = [_listed("row", rows)] * bool(rows) + [_listed("column", columns)] * bool(columns)
    height, width = report.shape[1:]
    return (
        f"{' and '.join(names)} never read: {report.num_unread:,} of {height * width:,} pixels"
        " (counted from 0)"
    )


def _listed(what: str, numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1:
        return f"{what} {numbers[0]}"
    shown = ", ".join(map(str, numbers[:3])) + (", …" if len(numbers) > 3 else "")
    return f"{len(numbers)} {what}s ({shown})"


def _notes(geometry: Geometry) -> tuple[str, ...]:
    if geometry.padding == "same" and max(geometry.stride) > 1:
        return ("same with a stride is TensorFlow's rule; torch refuses it",)
    return ()


def _checkerboard(overlaps: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[str, ...]:
    """A note if neighbouring outputs are painted by different numbers of inputs."""
    counts = sorted({row * column for row in overlaps[0] for column in overlaps[1]})
    if len(counts) == 1:
        return ()
    listed = ", ".join(map(str, counts[:-1])) + f" or {counts[-1]}"
    empty = "; 0 means nothing but the bias" if counts[0] == 0 else ""
    return (f"checkerboard: inside the map an output is painted by {listed} inputs{empty}",)
